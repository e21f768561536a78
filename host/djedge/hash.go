package main

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/hashing"
)

// hashCommand is the command of the process beside `djedge serve`.
const hashCommand = "hash-passwords"

// hashProcess is that process, with nothing of this one's environment. It
// starts with the first password. Without a path to djedge there is none.
func (c *config) hashProcess(self string, log *slog.Logger) host.Hasher {
	if self == "" || !c.hashBeside || c.kdf != "host" {
		return nil
	}
	threads := host.HashThreads(c.host.HashConcurrency)
	return &hashing.Process{
		Command: func() *exec.Cmd {
			cmd := exec.Command(self, hashCommand, strconv.Itoa(threads))
			cmd.Env = []string{"GOTRACEBACK=none"}
			return cmd
		},
		Exited: func(err error) {
			log.Error("the process that hashes passwords has ended; the next password starts another", "error", err)
		},
	}
}

// hashPasswords answers the process that has started this one, until it ends.
func hashPasswords(ctx context.Context, p *process) error {
	if len(p.args) != 1 {
		return usagef("%s is for djedge itself", hashCommand)
	}
	threads, err := strconv.Atoi(p.args[0])
	if err != nil || threads < 1 {
		return usagef("%s is for djedge itself", hashCommand)
	}
	// A terminal's Ctrl-C is for both, but it is the other that decides.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	return hashing.Serve(ctx, threads, p.stdin, p.stdout)
}
