package password

//go:noescape
func scryptMix(even, odd, last, in, with *uint32, pairs int)
