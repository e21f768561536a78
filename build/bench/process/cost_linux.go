package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// ticks is USER_HZ, the unit of times in /proc: 100 on every architecture that Go runs on.
const ticks = 100

// Clock is the CPU time of one process since it began, ended threads included, to the nanosecond. Children are not in it.
func Clock(pid int) (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED of a whole process, see clock_getcpuclockid(3)
	id := int32(^pid)<<3 | schedClock
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(id), uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0, fmt.Errorf("CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(ts.Nano()), nil
}

// Cost is what a process and its descendants have used.
type Cost struct {
	CPU    time.Duration // user and system time, in steps of 10 ms; ended children included
	Memory int64         // resident bytes: what is private to each process, and the mapped files of the largest
}

// Tree is the cost of the process and everything below it.
func Tree(pid int) (Cost, error) {
	parents, err := parents()
	if err != nil {
		return Cost{}, err
	}
	if _, running := parents[pid]; !running {
		return Cost{}, fmt.Errorf("process %d has ended", pid)
	}
	var sum Cost
	var files int64
	for p := range parents {
		if !below(p, pid, parents) {
			continue
		}
		cpu, err := times(p)
		if err != nil {
			if p == pid {
				return Cost{}, err
			}
			continue // it has ended, and its time is its parent's
		}
		private, mapped := memory(p)
		sum.CPU += cpu
		sum.Memory += private
		files = max(files, mapped)
	}
	sum.Memory += files
	return sum, nil
}

func below(p, root int, parents map[int]int) bool {
	for range len(parents) {
		if p == root {
			return true
		}
		up, known := parents[p]
		if !known {
			return false
		}
		p = up
	}
	return false
}

// parents is the parent of each process.
func parents() (map[int]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	parents := make(map[int]int, len(stats))
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields, err := stat(pid); err == nil {
			parents[pid], _ = strconv.Atoi(fields[1])
		}
	}
	return parents, nil
}

// stat is the fields of /proc/PID/stat from the state on, which is field 3 of proc(5).
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	text := string(b)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat is short", pid)
	}
	return fields, nil
}

// times is utime + stime + cutime + cstime.
func times(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	var n int64
	for _, field := range fields[11:15] {
		t, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		n += t
	}
	return time.Duration(n) * (time.Second / ticks), nil
}

func memory(pid int) (private, files int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, _ := strconv.ParseInt(kib, 10, 64)
		switch name {
		case "RssAnon", "RssShmem":
			private += n << 10
		case "RssFile":
			files = n << 10
		}
	}
	return private, files
}
