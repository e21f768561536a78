// Command kdfhost derives keys as build/bench/kdfguest does, line by line:
//
//	kdfhost wazero GUEST   runs the guest in wazero, configured as host/module configures it
//	kdfhost two            derives two keys of PBKDF2 side by side for each line, of the same password and salt
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/djedge/djedge/djuser/password"
)

func main() {
	err := errors.New("usage: kdfhost wazero GUEST | kdfhost two")
	switch {
	case len(os.Args) == 3 && os.Args[1] == "wazero":
		err = guest(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "two":
		err = two()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kdfhost:", err)
		os.Exit(1)
	}
}

func guest(path string) error {
	wasm, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(func(_, most uint64) experimental.LinearMemory {
		return &memory{buffer: make([]byte, most)}
	}))
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryMiB<<4).WithDebugInfoEnabled(false))
	defer runtime.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return err
	}
	_, err = runtime.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().
		WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr).
		WithSysNanotime().WithSysWalltime().WithRandSource(rand.Reader))
	var exit *sys.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 0 {
		return nil
	}
	return err
}

// memory never moves when it grows, as in host/module; the system gives it page by page.
type memory struct{ buffer []byte }

func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.buffer)) {
		return nil
	}
	return m.buffer[:size:len(m.buffer)]
}

func (*memory) Free() {}

// memoryMiB is the most that host/module gives to an instance that hashes.
const memoryMiB = 384

func two() error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var function, secret, salt string
		var zero int
		p := password.Params{Function: password.PBKDF2SHA256, KeyLen: 32}
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %d %d %d %d %s %s", &function, &p.Iterations, &zero, &zero, &zero, &zero, &secret, &salt); err != nil {
			return err
		}
		if function != "pbkdf2_sha256" {
			return fmt.Errorf("not side by side: %s", function)
		}
		a, err := password.NewPBKDF2(p, []byte(secret), []byte(salt))
		if err != nil {
			return err
		}
		b, err := password.NewPBKDF2(p, []byte(secret), []byte(salt))
		if err != nil {
			return err
		}
		for doneA, doneB := false, false; !doneA || !doneB; {
			doneA, doneB = password.StepBoth(a, b)
		}
		if !bytes.Equal(a.Key(), b.Key()) {
			return errors.New("the two keys differ")
		}
		fmt.Println(hex.EncodeToString(a.Key()))
	}
	return lines.Err()
}
