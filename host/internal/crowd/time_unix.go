//go:build unix

package crowd

import (
	"syscall"
	"time"
)

// ProcessTime is the CPU time of this process.
func ProcessTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
