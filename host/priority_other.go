//go:build !linux

package host

// lowerPriority does nothing where a thread has no priority of its own, or Go
// has no way to set it.
func lowerPriority() {}
