package process

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Tie makes a program end with this one, however this one ends, and keeps the terminal's Ctrl-C from it: whoever
// started it stops it in order. See [StartTied].
func Tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = true
}

const nobody = 65534

// namespaces says whether a program may be started in a user namespace of its own.
var namespaces = sync.OnceValue(func() bool {
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = mapped()
	return cmd.Run() == nil
})

func mapped() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}},
	}
}

// Unprivileged makes cmd run as another user than root, whom PostgreSQL refuses, and gives that user the directory dir.
func Unprivileged(cmd *exec.Cmd, dir string) error {
	switch {
	case os.Getuid() != 0:
		return nil
	case namespaces():
		cmd.SysProcAttr = mapped() // uid 1000 inside, root's files outside
		return nil
	default:
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return os.Chown(dir, nobody, nobody)
	}
}

// FreeDisk is the bytes that are free where path is.
func FreeDisk(path string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}
