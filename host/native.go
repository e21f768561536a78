package host

// Native runs the rules in this process.
func Native() Engine { return nil }
