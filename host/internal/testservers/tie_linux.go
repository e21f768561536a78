package testservers

import (
	"os/exec"
	"syscall"
)

// tie makes a process end with this one, however this one ends.
func tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
