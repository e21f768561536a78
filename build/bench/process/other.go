//go:build !linux

package process

import (
	"os/exec"
	"time"
)

// Cost is what a process and its descendants have used.
type Cost struct {
	CPU    time.Duration
	Memory int64
}

// Clock is [ErrUnsupported] here.
func Clock(int) (time.Duration, error) { return 0, ErrUnsupported }

// Tree is [ErrUnsupported] here.
func Tree(int) (Cost, error) { return Cost{}, ErrUnsupported }

// Unprivileged does nothing here.
func Unprivileged(*exec.Cmd, string) error { return nil }

// Tie does nothing here.
func Tie(*exec.Cmd) {}

// FreeDisk is [ErrUnsupported] here.
func FreeDisk(string) (int64, error) { return 0, ErrUnsupported }
