package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestDispatch(t *testing.T) {
	for want, args := range map[int][]string{0: {"help"}, 2: {"no-such-verb"}} {
		if got := dispatch(args); got != want {
			t.Errorf("%v: exit code %d, want %d", args, got, want)
		}
	}
	var help bytes.Buffer
	usage(&help)
	for _, v := range verbs() {
		if !strings.Contains(help.String(), v.name) {
			t.Errorf("help does not list %s", v.name)
		}
	}
}
