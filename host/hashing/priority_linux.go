package hashing

import "syscall"

// lowerPriority gives the calling thread the least share of the processor that
// an ordinary one can have: about a hundredth beside a busy thread, so that
// hashing never stops altogether. It is allowed to everybody. (On Linux a
// thread is what PRIO_PROCESS names; POSIX would have it be the process.)
func lowerPriority() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 19) }

// mainThread reports whether the calling thread is the process's first.
func mainThread() bool { return syscall.Gettid() == syscall.Getpid() }
