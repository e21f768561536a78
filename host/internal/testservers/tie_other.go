//go:build !linux

package testservers

import "os/exec"

func tie(*exec.Cmd) {}
