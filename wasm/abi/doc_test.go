package abi_test

import (
	"encoding/hex"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// The frames of docs/abi.md were written down byte by byte from its tables,
// not by the encoder; here both must agree.

var now = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

var table = mustTable(query.Statement{Name: "session_delete", SQL: "DELETE"})

func mustTable(s ...query.Statement) *abi.Table {
	t, err := abi.NewTable(s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	settings   = []abi.Setting{{Name: "dialect", Value: "sqlite"}, {Name: "loopback", Value: "true"}}
	configured = &abi.Configured{
		Statements: table.Statements(),
		Columns:    []query.Column{{Name: "id"}, {Name: "is_staff", Kind: query.KindBool}},
		Headers:    []string{"cookie"},
	}
	short = &abi.Configured{
		Columns: []query.Column{{Name: "id"}, {Name: "name", Kind: query.KindText}},
		Shorthand: &abi.Shorthand{
			Names:         gate.IdentityHeaders{{Name: "A"}, {Name: "B"}, {Name: "C"}, {Name: "D"}, {Name: "E"}},
			RemoveHeaders: []string{"a"}, ID: 1, Name: 2,
		},
	}
	allowed = abi.Allowed{Result: 1, Rule: 2, SessionKey: "k"}
	refused = &abi.Configured{Error: "setting loopback: is neither true nor false"}
	start   = abi.Start{Now: now, Random: []byte{1, 2, 3, 4}}
	plain   = abi.Start{Now: now}
	op      = abi.Op{
		Kind: abi.OpCheck,
		Request: gate.Request{
			Method: "GET", URI: "/r?a=1", Host: "h:8", Scheme: "https",
			Headers: []gate.Header{{Name: "cookie", Value: "sessionid=k"}},
		},
		Require: gate.Authenticated,
		Hint:    query.Int(7),
	}
	save = abi.Op{Kind: abi.OpSessionSave, Status: 200, Session: djsession.State{
		Resolved: true, Loaded: true, Accessed: true, Modified: true, Items: []djsession.Item{{Key: "y", Raw: "2"}},
	}}
	effects = map[string]abi.Effect{
		"query": {Kind: abi.EffectQuery, Atomic: true, Statements: []query.Statement{
			{Name: "session_delete", SQL: "DELETE", Args: []query.Value{query.Text("k")}},
			{Name: "save_user", SQL: "UPDATE", AdHoc: true, Args: []query.Value{
				query.Null(), query.Bool(true), query.Int(-2), query.Float(0.5), query.Bytes("\xff"), query.Time(now),
			}},
		}},
		"kdf": {
			Kind: abi.EffectKDF, Params: password.Params{Function: password.PBKDF2SHA256, Iterations: 1000000, KeyLen: 32},
			Password: []byte("pw"), Salt: []byte("salt"),
		},
		"random": {Kind: abi.EffectRandom, N: 32},
		"yield":  {Kind: abi.EffectYield},
		"storage": {Kind: abi.EffectStorage, Storage: djsession.StorageOp{
			Kind: djsession.CacheSet, Key: "k", Value: "\x80\x05}\x94.", Flags: 1, TTL: 1209600 * time.Second,
		}},
	}
	answers = map[string]abi.Answer{
		"results": {Kind: abi.AnswerResults, Results: []query.Result{
			{Affected: 1, Rows: [][]query.Value{{query.Text("k"), query.Int(7)}}},
		}},
		"ok":         {Kind: abi.AnswerOK},
		"duplicate":  {Kind: abi.AnswerDuplicate},
		"error":      {Kind: abi.AnswerError, Text: "timeout"},
		"key":        {Kind: abi.AnswerKey, Bytes: []byte{0xaa, 0xbb}},
		"declined":   {Kind: abi.AnswerDeclined},
		"randomness": {Kind: abi.AnswerRandom, Bytes: []byte{1, 2}},
		"stored":     {Kind: abi.AnswerStored, Stored: djsession.StorageResult{Found: true, Value: "\x80\x05}\x94.", Flags: 1, Modified: now}},
	}
	result = &abi.Result{
		Decision: gate.Decision{
			Outcome: gate.Allow, Status: 200, Reason: gate.ReasonOK,
			Identity:      &gate.Identity{ID: "7", Name: "ann", Email: "a@b", Staff: true},
			SetHeaders:    []gate.Header{{Name: "Remote-User", Value: "ann"}},
			RemoveHeaders: []string{"remote_user"},
			Cookies:       []string{"a=b; Path=/"},
			Vary:          true,
			Rule:          2,
		},
		SessionKey: "k",
		User:       []query.Value{query.Int(7), query.Bool(true)},
		Session:    []djsession.Item{{Key: "cart", Raw: "[1]"}},

		Permissions: []string{"a.b"}, Groups: []string{"eds"}, Everything: true,
	}
)

const handle = 1025

// documented is the hexadecimal blocks of docs/abi.md by name.
func documented(tb testing.TB) map[string][]byte {
	text, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		tb.Fatal(err)
	}
	frames := map[string][]byte{}
	for _, block := range strings.Split(string(text), "```hex ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		rest, _, _ = strings.Cut(rest, "```")
		var digits strings.Builder
		for line := range strings.Lines(rest) {
			bytes, _, _ := strings.Cut(line, "  ")
			digits.WriteString(strings.Join(strings.Fields(bytes), ""))
		}
		frame, err := hex.DecodeString(digits.String())
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		frames[name] = frame
	}
	return frames
}

// encoded is the same frames as the package writes them.
func encoded(tb testing.TB) map[string][]byte {
	frames := map[string][]byte{
		"configure":  abi.AppendConfigure(nil, settings),
		"configured": abi.AppendConfigured(nil, configured),
		"refused":    abi.AppendConfigured(nil, refused),
		"short":      abi.AppendConfigured(nil, short),
		"allowed":    abi.AppendAllowed(nil, &allowed),
		"begin":      abi.AppendBegin(nil, &start, &op),
		"begin_save": abi.AppendBegin(nil, &plain, &save),
		"done":       abi.AppendDone(nil, result),
	}
	for name, effect := range effects {
		frame, err := abi.AppendEffects(nil, table, handle, effect)
		if err != nil {
			tb.Fatal(err)
		}
		frames[name] = frame
	}
	for name, answer := range answers {
		frames[name] = abi.AppendResume(nil, &plain, answer)
	}
	return frames
}

func TestDocumentedFramesAreEncoded(t *testing.T) {
	want, got := documented(t), encoded(t)
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			t.Errorf("%s:\n got %x\nwant %x", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("docs/abi.md has %d examples, the package writes %d", len(want), len(got))
	}
}

func TestDocumentedFramesAreDecoded(t *testing.T) {
	frames := documented(t)
	same := func(name string, got, want any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
	gotSettings, err := abi.DecodeConfigure(frames["configure"])
	same("configure", gotSettings, settings, err)
	gotConfigured, err := abi.DecodeConfigured(frames["configured"])
	same("configured", gotConfigured, configured, err)
	gotConfigured, err = abi.DecodeConfigured(frames["refused"])
	same("refused", gotConfigured, refused, err)
	gotConfigured, err = abi.DecodeConfigured(frames["short"])
	same("short", gotConfigured, short, err)
	gotAllowed, err := abi.DecodeAllowed(frames["allowed"])
	same("allowed", gotAllowed, allowed, err)
	var gotStart abi.Start
	var gotOp abi.Op
	err = abi.DecodeBegin(frames["begin"], &gotStart, &gotOp)
	same("begin", gotOp, op, err)
	same("begin", gotStart, start, err)
	err = abi.DecodeBegin(frames["begin_save"], &gotStart, &gotOp)
	same("begin_save", gotOp, save, err)
	for name, want := range effects {
		gotHandle, got, err := abi.DecodeEffects(frames[name], table)
		same(name, got, []abi.Effect{want}, err)
		same(name, gotHandle, uint32(handle), err)
	}
	for name, want := range answers {
		got, err := abi.DecodeResume(frames[name], &gotStart)
		same(name, got, []abi.Answer{want}, err)
		same(name, gotStart, plain, err)
	}
	gotResult, err := abi.DecodeDone(frames["done"])
	same("done", gotResult, result, err)
}

// TestDocumentedNumbers: the numbers of operations and reasons are the ABI.
func TestDocumentedNumbers(t *testing.T) {
	text, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	_, reasons, _ := strings.Cut(string(text), "\n## Reasons\n")
	reasons, _, _ = strings.Cut(reasons, "\n## ")
	n := 0
	for line := range strings.Lines(reasons) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		name := strings.TrimSpace(cells[2])
		if strings.HasPrefix(name, "-") || name == "name" {
			continue
		}
		if got := gate.Reason(n).String(); got != name {
			t.Errorf("reason %d is %s here and %s in the document", n, got, name)
		}
		n++
	}
	if next := gate.Reason(n).String(); !strings.HasPrefix(next, "reason ") {
		t.Errorf("reason %s is not in the document", next)
	}
	for name, got := range map[string]abi.OpKind{
		"check": abi.OpCheck, "load_user": abi.OpLoadUser, "session_load": abi.OpSessionLoad,
		"authenticate": abi.OpAuthenticate, "login": abi.OpLogin, "logout": abi.OpLogout,
		"register": abi.OpRegister, "change_password": abi.OpChangePassword, "set_password": abi.OpSetPassword,
		"save_user": abi.OpSaveUser, "verify_password": abi.OpVerifyPassword, "make_password": abi.OpMakePassword, "eval": abi.OpEval,
		"session_save": abi.OpSessionSave, "session_flush": abi.OpSessionFlush, "session_cycle": abi.OpSessionCycle, "clear_expired": abi.OpClearExpired,
		"csrf_token": abi.OpCSRFToken, "permissions": abi.OpPermissions,
	} {
		if !strings.Contains(string(text), "\n| "+strconv.Itoa(int(got))+" | "+name+" |") {
			t.Errorf("operation %s is not number %d in the document", name, got)
		}
	}
}
