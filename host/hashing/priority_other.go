//go:build !linux

package hashing

// lowerPriority does nothing where a thread has no priority of its own, or Go
// has no way to set it.
func lowerPriority() {}

// mainThread does not matter where priorities do not.
func mainThread() bool { return false }
