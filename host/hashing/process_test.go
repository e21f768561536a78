package hashing

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// countVariable makes the test binary the process beside.
const countVariable = "DJEDGE_TEST_HASHING"

func TestMain(m *testing.M) {
	if count, err := strconv.Atoi(os.Getenv(countVariable)); err == nil {
		if err := Serve(context.Background(), count, os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func testProcess(t testing.TB, count int) *Process {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Process{Command: func() *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = []string{countVariable + "=" + strconv.Itoa(count)}
		return cmd
	}}
}

// A process that is killed takes what it was doing along. That is tried once
// more, in another.
func TestProcessDies(t *testing.T) {
	p := testProcess(t, 1)
	defer p.Close()
	started := make(chan *exec.Cmd, 9)
	command := p.Command
	p.Command = func() *exec.Cmd { cmd := command(); started <- cmd; return cmd }
	exited := make(chan error, 9)
	p.Exited = func(err error) { exited <- err }
	lost := make(chan error, 1)
	go func() {
		_, err := p.DeriveKey(t.Context(), forever, nil, nil)
		lost <- err
	}()
	for range 2 {
		cmd := <-started
		for asked := false; !asked; time.Sleep(time.Millisecond) {
			p.mu.Lock()
			if live := p.live; live != nil {
				live.mu.Lock()
				asked = live.err == nil && len(live.waiting) == 1
				live.mu.Unlock()
			}
			p.mu.Unlock()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := <-exited; err == nil {
			t.Error("nobody was told how it ended")
		}
	}
	if err := <-lost; !errors.Is(err, errLost) {
		t.Errorf("after two deaths: %v", err)
	}
	if key, err := p.DeriveKey(t.Context(), pbkdf2(1), nil, nil); err != nil || len(key) != 32 {
		t.Errorf("a third: %x, %v", key, err)
	}
}

func TestTooLong(t *testing.T) {
	p := testProcess(t, 1)
	defer p.Close()
	if _, err := p.DeriveKey(t.Context(), pbkdf2(1), make([]byte, maxMessage), nil); !errors.Is(err, errMessage) || errors.Is(err, errLost) {
		t.Errorf("a password of a megabyte: %v", err)
	}
	if _, err := p.DeriveKey(t.Context(), pbkdf2(1), nil, nil); err != nil {
		t.Error(err)
	}
}

func TestProcessMissing(t *testing.T) {
	starts := 0
	p := &Process{Command: func() *exec.Cmd { starts++; return exec.Command("/nowhere/djedge") }}
	defer p.Close()
	for range 5 {
		if _, err := p.DeriveKey(t.Context(), pbkdf2(1), nil, nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
	if starts != 1 {
		t.Errorf("it was started %d times within a second", starts)
	}
}

// What is no Process at the other end, or no Serve, is an error.
func TestGarbage(t *testing.T) {
	garbage := []string{"\x00\x00\x00\x00", "\xff\xff\xff\xff", "\x09\x00\x00\x0012345678\x07", "\x09\x00\x00\x0012345678\x01", "\x20\x00\x00\x00short", "\x01"}
	for _, text := range garbage {
		if err := Serve(t.Context(), 1, bytes.NewReader([]byte(text)), io.Discard); err == nil {
			t.Errorf("%q was taken", text)
		}
		p := &Process{Command: func() *exec.Cmd { return exec.Command("printf", "%b", printfOf(text)) }}
		if key, err := p.DeriveKey(t.Context(), forever, nil, nil); err == nil {
			t.Errorf("%q is the key %x", text, key)
		}
		p.Close()
	}
	if err := Serve(t.Context(), 1, bytes.NewReader(nil), io.Discard); err != nil {
		t.Errorf("the end: %v", err)
	}
}

func printfOf(text string) (escaped string) {
	for _, b := range []byte(text) {
		escaped += `\0` + strconv.FormatInt(int64(b), 8)
	}
	return escaped
}

func FuzzMessages(f *testing.F) {
	var b bytes.Buffer
	_ = write(&b, message{id: 1, kind: kindDerive, body: encode(pbkdf2(2), []byte("secret"), []byte("salt"))})
	f.Add(b.Bytes())
	f.Add([]byte("\x09\x00\x00\x0012345678\x02"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for r := bufio.NewReader(bytes.NewReader(text)); ; {
			m, err := read(r)
			if err != nil {
				return
			}
			p, secret, salt, err := decode(m.body)
			if err == nil && !bytes.Equal(encode(p, secret, salt), m.body) {
				t.Errorf("%x is another message when it is written again", m.body)
			}
		}
	})
}

// A process that has died is asked no more, even when nobody has read its end.
func TestProcessGone(t *testing.T) {
	p := testProcess(t, 1)
	defer p.Close()
	closed, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closed.Close() // as the process's input is then
	defer output.Close()
	one := pbkdf2(1)
	p.live = &connection{in: output, waiting: map[uint64]chan message{}}
	if key, err := p.DeriveKey(t.Context(), one, []byte("secret"), []byte("salt")); err != nil || len(key) != int(one.KeyLen) {
		t.Errorf("%x, %v", key, err)
	}
}

// A program that ends whatever it is asked is not started for each password.
func TestProcessUseless(t *testing.T) {
	starts := 0
	p := &Process{Command: func() *exec.Cmd {
		starts++
		cmd := testProcess(t, 1).Command()
		cmd.Args = append(cmd.Args, "-test.run=^$") // runs no test
		cmd.Env = nil
		return cmd
	}}
	defer p.Close()
	const passwords = 100
	for range passwords {
		if _, err := p.DeriveKey(t.Context(), pbkdf2(1), nil, nil); !errors.Is(err, errLost) && !errors.Is(err, errMessage) {
			t.Fatal(err)
		}
	}
	if starts > passwords/4 {
		t.Errorf("%d starts for %d passwords", starts, passwords)
	}
}
