package abi_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/wasm/abi"
)

// Forget clears what was read, the pieces too that were too small for what came
// after: a password is not left to the garbage collector.
func TestForgetClearsAll(t *testing.T) {
	const password = "correct horse battery staple"
	var m abi.Memory
	var start abi.Start
	var op abi.Op
	if err := m.DecodeBegin(abi.AppendBegin(nil, &start, &abi.Op{Kind: abi.OpLogin, Password: password}), &start, &op); err != nil {
		t.Fatal(err)
	}
	long := abi.Answer{Kind: abi.AnswerError, Text: strings.Repeat("x", 1<<16)}
	for range 3 {
		if _, err := m.DecodeResume(abi.AppendResume(nil, &start, long), &start); err != nil {
			t.Fatal(err)
		}
	}
	if op.Password != password {
		t.Fatalf("before: %q", op.Password)
	}
	// The string is a part of that memory; nobody else may look at it by then.
	if m.Forget(); op.Password != strings.Repeat("\x00", len(password)) {
		t.Errorf("after: %q", op.Password)
	}
}
