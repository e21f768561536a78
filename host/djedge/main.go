// Command djedge is Django's login outside Django: a server for forward
// authentication with a JSON API and a page, and tools for sessions,
// passwords and keys. `djedge help` lists them; docs/config.md lists the
// settings. It is the only place where a URL chooses a database driver.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Exit codes. The last is EX_CONFIG of sysexits.h, so that a supervisor can
// tell what a restart will not mend.
const (
	exitOK      = 0
	exitRuntime = 1
	exitUsage   = 2
	exitConfig  = 78
)

// exitError is an error with an exit code other than [exitRuntime].
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func configf(format string, args ...any) error {
	return &exitError{exitConfig, fmt.Errorf(format, args...)}
}

// process is what a command sees of its process, so that tests can give another.
type process struct {
	args   []string // without the name of the command
	env    []string // "NAME=value"
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	self   string // the path of djedge; "" starts no process beside this one
}

// command is one thing that djedge can do.
type command struct {
	name    string // one or two words
	summary string // "" keeps it out of help
	run     func(context.Context, *process) error
}

// commands in the order of help.
func commands() []command {
	return []command{
		{"serve", "answer proxies, and the API and the page if they are opened", serveCommand},
		{"explain", "show what /auth would decide about a request, and by which rule", explain},
		{"clearsessions", "delete the sessions that have expired", clearSessions},
		{"session decode", "show what a session holds", sessionDecode},
		{"password verify", "compare a password with Django's stored form", passwordVerify},
		{"password hash", "make Django's stored form of a password", passwordHash},
		{"keys", "derive the keys that djedge needs from SECRET_KEY", keysCommand},
		{"version", "print the versions of djedge and of its module", versionCommand},
		{hashCommand, "", hashPasswords},
	}
}

func main() {
	self, _ := os.Executable() // "" where that is unknown
	os.Exit(run(context.Background(), &process{
		args: os.Args[1:], env: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, self: self,
	}))
}

// run runs the command that p names and returns the exit code.
func run(ctx context.Context, p *process) int {
	err := dispatch(ctx, p)
	var exit *exitError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errRefused):
		return exitRuntime // the command has said why
	case errors.As(err, &exit):
		fmt.Fprintln(p.stderr, "djedge:", err)
		return exit.code
	default:
		fmt.Fprintln(p.stderr, "djedge:", err)
		return exitRuntime
	}
}

// errRefused ends a command with exit code 1 and without another message.
var errRefused = errors.New("refused")

func dispatch(ctx context.Context, p *process) error {
	if len(p.args) == 0 {
		help(p.stderr)
		return usagef("no command given")
	}
	switch p.args[0] {
	case "help", "-h", "-help", "--help":
		help(p.stdout)
		return nil
	}
	group := false
	for _, c := range commands() {
		words := 1
		name := p.args[0]
		if len(p.args) > 1 && name+" "+p.args[1] == c.name {
			name, words = c.name, 2
		}
		if name == c.name {
			rest := *p
			rest.args = p.args[words:]
			return c.run(ctx, &rest)
		}
		group = group || len(c.name) > len(name) && c.name[:len(name)+1] == name+" "
	}
	if group {
		if len(p.args) > 1 && isHelp(p.args[1]) {
			help(p.stdout)
			return nil
		}
		return usagef("%q needs one more word; see djedge help", p.args[0])
	}
	return usagef("unknown command %q; see djedge help", p.args[0])
}

func isHelp(arg string) bool {
	return arg == "-h" || arg == "-help" || arg == "--help" || arg == "help"
}

func help(w io.Writer) {
	fmt.Fprintln(w, "djedge is Django's login outside Django.\n\nUsage: djedge COMMAND [flags]")
	fmt.Fprintln(w)
	for _, c := range commands() {
		if c.summary != "" {
			fmt.Fprintf(w, "  %-16s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprintln(w, "\ndjedge COMMAND --help lists the flags of a command. Flags may follow arguments."+
		"\nExit codes: 0 ok, 1 runtime error or refusal, 2 usage, 78 configuration.")
}
