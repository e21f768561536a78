package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// canaries are the secrets of one login, as the memory might hold them.
func canaries() (op *abi.Op, begin *abi.Start, secrets map[string][]byte) {
	const word = "canary-Zq3-lake"
	random := make([]byte, 512)
	rand.Read(random)
	key := strings.Repeat("canary7s", 4)
	op = &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: word, Request: gate.Request{
		Method: "POST", URI: "/", Scheme: "http", Host: "localhost", Headers: []gate.Header{
			{Name: "Content-Type", Value: "application/json"}, {Name: "Cookie", Value: "sessionid=" + key},
		},
	}}
	keys := signing.DeriveKeys("", secretKey, nil)
	_, hex, _ := strings.Cut(keys.Session.Current.Export(), ":")
	return op, &abi.Start{Now: start.Now, Random: random}, map[string][]byte{
		"password": []byte(word), "session key of the request": []byte(key), "randomness": random, "derived key, in hexadecimal": []byte(hex),
	}
}

// serve answers an effects frame as a site with one user, ann, would.
func (g *guest) serve(t *testing.T, frame []byte, encoded string) (handle uint32, answer abi.Answer) {
	handle, effects, err := abi.DecodeEffects(frame, g.table)
	if err != nil {
		t.Fatal(err)
	}
	e := effects[0]
	switch e.Kind {
	case abi.EffectKDF:
		key, err := password.Derive(context.Background(), nil, e.Params, e.Password, e.Salt)
		if err != nil {
			t.Fatal(err)
		}
		return handle, abi.Answer{Kind: abi.AnswerKey, Bytes: key}
	case abi.EffectQuery:
		answer = abi.Answer{Kind: abi.AnswerResults, Results: make([]query.Result, len(e.Statements))}
		for i, s := range e.Statements {
			if s.Name != "user_by_name" {
				answer.Results[i].Affected = 1
				continue
			}
			row := make([]query.Value, len(g.columns))
			for i, c := range g.columns {
				row[i] = query.Coerce(query.Int(1), c.Kind)
				switch c.Name {
				case "password":
					row[i] = query.Text(encoded)
				case "username":
					row[i] = query.Text("ann")
				case "last_login", "date_joined":
					row[i] = query.Time(time.Unix(1, 0))
				}
			}
			answer.Results[i].Rows = [][]query.Value{row}
		}
		return handle, answer
	}
	t.Fatalf("effect %d", e.Kind)
	return 0, answer
}

// TestCanaries counts the copies of secrets that an instance still holds after
// a login. What is promised is that the buffers are clear; the rest is Go's
// heap, printed so that a change is seen.
func TestCanaries(t *testing.T) {
	runtime, compiled := compile(t, build(t, ""))
	g := instantiate(t, runtime, compiled)
	g.configure()
	op, begin, secrets := canaries()
	memory := func(what string) (whole []byte) {
		whole, ok := g.instance.Memory().Read(0, g.instance.Memory().Size())
		if !ok {
			t.Fatal("the memory cannot be read")
		}
		for name, secret := range secrets {
			t.Logf("%s, %2d × %s", what, bytes.Count(whole, secret), name)
		}
		return whole
	}
	// clean wants a part of the memory to hold no secret.
	clean := func(what string, packed uint64) {
		t.Helper()
		b, ok := g.instance.Memory().Read(uint32(packed>>32), uint32(packed))
		if !ok {
			t.Fatalf("%s is outside of the memory", what)
		}
		if len(bytes.Trim(b, "\x00")) > 0 {
			t.Errorf("%s is not cleared", what)
		}
	}
	input := g.call("djedge_buffer")
	clean("the input buffer after configure", input)
	memory("configured")

	const salt = "salt"
	params := password.Params{Function: password.PBKDF2SHA256, Iterations: 1, KeyLen: 32}
	hash, err := password.Derive(context.Background(), nil, params, []byte(op.Password), []byte(salt))
	if err != nil {
		t.Fatal(err)
	}
	encoded := "pbkdf2_sha256$1$" + salt + "$" + base64.StdEncoding.EncodeToString(hash)
	packed := g.sendPacked("djedge_begin", abi.AppendBegin(nil, begin, op))
	for {
		clean("the input buffer", input)
		frame := g.read(packed)
		if abi.KindOf(frame) == abi.FrameDone {
			result, err := abi.DecodeDone(frame)
			if err != nil || result.Decision.Outcome != gate.Allow {
				t.Fatalf("%+v, %v", result, err)
			}
			secrets["new session key"] = []byte(result.SessionKey)
			break
		}
		last := packed
		handle, answer := g.serve(t, frame, encoded)
		packed = g.sendPacked("djedge_resume", abi.AppendResume(nil, start, answer), uint64(handle))
		if end, next := last>>32+uint64(uint32(last)), packed>>32+uint64(uint32(packed)); last>>32 == packed>>32 && next < end {
			clean("the rest of the last answer", next<<32|end-next)
		}
	}
	memory("logged in")
	g.call("djedge_cancel", 0)
	clean("the answer after the next call", packed)
	memory("one call later")

	ptr := g.call("djedge_alloc", 64)
	g.instance.Memory().Write(uint32(ptr), secrets["password"])
	g.call("djedge_free", ptr)
	clean("a buffer that was given back", ptr<<32|64)
}
