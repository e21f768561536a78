package differential

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// oracle is a running Django.
type oracle struct {
	in      io.WriteCloser
	out     *bufio.Reader
	Django  string   `json:"django"`
	Hashers []string `json:"hashers"`
	Bcrypt  string   `json:"bcrypt"`
}

// reply is what Django answered, or the class of what it raised.
type reply struct {
	Answer json.RawMessage `json:"answer"`
	Error  string          `json:"error"`
}

// startOracle starts the Django of this environment; nil when it is not installed.
func startOracle(t testing.TB, components, release string) *oracle {
	t.Helper()
	python, err := filepath.Abs(filepath.Join(components, "django"+release[:1]+release[2:], "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(python); err != nil {
		return nil
	}
	cmd := exec.Command(python, "oracle.py")
	cmd.Env = append(os.Environ(), "PYTHONUTF8=1", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1")
	complaints := &beginning{} // CPython has something to say about some damaged pickles
	cmd.Stderr = complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &oracle{in: in, out: bufio.NewReaderSize(out, 1<<20)}
	t.Cleanup(func() {
		_ = in.Close() // the end of its input ends it
		_ = cmd.Wait()
	})
	r, err := o.ask("about", map[string]any{})
	if err == nil {
		err = json.Unmarshal(r.Answer, o)
	}
	if err != nil {
		t.Fatalf("Django %s: %v\n%s", release, err, complaints.text())
	}
	return o
}

// beginning keeps the beginning of what is written.
type beginning struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *beginning) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.buf.Len() < 4096 {
		w.buf.Write(p)
	}
	return len(p), nil
}

func (w *beginning) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// ask puts one question and reads its answer.
func (o *oracle) ask(function string, args any) (reply, error) {
	question, err := json.Marshal(map[string]any{"function": function, "args": args})
	if err != nil {
		return reply{}, err
	}
	if _, err := o.in.Write(append(question, '\n')); err != nil {
		return reply{}, fmt.Errorf("asking: %w", err)
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		return reply{}, fmt.Errorf("reading the answer to %.300s: %w", question, err)
	}
	var r reply
	return r, json.Unmarshal(line, &r)
}
