package step_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
	_ "modernc.org/sqlite"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// schema is what Django's migrations make of sessions and users in SQLite.
const schema = `
CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, session_data text NOT NULL, expire_date datetime NOT NULL);
CREATE TABLE auth_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, last_login datetime NULL,
	is_superuser bool NOT NULL, username varchar(150) NOT NULL UNIQUE, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL,
	is_staff bool NOT NULL, is_active bool NOT NULL, date_joined datetime NOT NULL, first_name varchar(150) NOT NULL);
INSERT INTO auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name) VALUES
	('pbkdf2_sha256$1$salt$` + annHash + `', 0, 'ann', '', 'ann@example.com', 1, 1, '2020-01-01 00:00:00', 'Ann'),
	('pbkdf2_sha256$1$salt$` + annHash + `', 0, 'idle', '', '', 0, 0, '2020-01-01 00:00:00', '');`

// annHash is base64(hashlib.pbkdf2_hmac("sha256", b"lake", b"salt", 1)) as Python computes it.
const annHash = "wo+cl/eItmtpngFP5yvsXswacHjx4QwAUkZqEsbpRFs="

func settings() []abi.Setting {
	keys := signing.DeriveKeys("", "an insecure key for tests", nil)
	return []abi.Setting{
		{Name: "version", Value: "5.2"}, {Name: "dialect", Value: "sqlite"}, {Name: "pbkdf2_iterations", Value: "2"},
		{Name: "public_origin", Value: "https://example.com"},
		{Name: "key_session", Value: keys.Session.Current.Export()}, {Name: "key_auth_hash", Value: keys.AuthHash.Current.Export()},
	}
}

func rules(tb testing.TB, more ...abi.Setting) *step.Rules {
	tb.Helper()
	r, err := step.Configure(append(settings(), more...))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// host answers effects from a database in memory, and with randomness that
// is the same in every run. It breaks at the effect number breakAt, from 1.
type host struct {
	tb      testing.TB
	db      *sql.DB
	seed    uint32
	decline bool
	breakAt int
	cutAt   int // the effect in whose rows the last column lacks
	cut     bool
	effects int
	queries []string
	storage func(djsession.StorageOp) (djsession.StorageResult, error)
}

func newHost(tb testing.TB) *host {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { db.Close() })
	if _, err := db.Exec(schema); err != nil {
		tb.Fatal(err)
	}
	return &host{tb: tb, db: db}
}

var errBroken = errors.New("the wire was cut")

func (h *host) count() error {
	h.effects++
	if h.effects == h.breakAt {
		return errBroken
	}
	return nil
}

func (h *host) Now() time.Time { return now }

func (h *host) Random(_ context.Context, n int) ([]byte, error) {
	if err := h.count(); err != nil {
		return nil, djsession.ErrNoRandomness
	}
	b := make([]byte, 0, n+4)
	for len(b) < n {
		h.seed = h.seed*1664525 + 1013904223
		b = binary.BigEndian.AppendUint32(b, h.seed)
	}
	return b[:n], nil
}

func (h *host) Storage(_ context.Context, op djsession.StorageOp) (result djsession.StorageResult, err error) {
	if err := h.count(); err != nil {
		return result, err
	}
	if h.storage == nil {
		return result, errors.New("there is no storage")
	}
	return h.storage(op)
}

func (h *host) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	if err := h.count(); err != nil {
		return nil, err
	}
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	var results []query.Result
	for _, s := range statements {
		h.queries = append(h.queries, s.Name)
		result, err := execute(ctx, tx, s)
		if err != nil {
			if strings.Contains(err.Error(), "UNIQUE") {
				err = query.ErrDuplicate
			} else {
				h.tb.Errorf("%s: %v", s.Name, err)
			}
			return nil, err
		}
		if h.effects == h.cutAt {
			for i, row := range result.Rows {
				result.Rows[i], h.cut = row[:len(row)-1], true
			}
		}
		results = append(results, result)
	}
	return results, tx.Commit()
}

func (h *host) DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	if err := h.count(); err != nil {
		return nil, err
	}
	if h.decline {
		return nil, password.ErrDeclined
	}
	return password.Derive(ctx, func(context.Context) error { return nil }, p, secret, salt)
}

func (h *host) Yield(context.Context) error { return h.count() }

func execute(ctx context.Context, tx *sql.Tx, s query.Statement) (query.Result, error) {
	args := make([]any, len(s.Args))
	for i, v := range s.Args {
		switch v.Kind() {
		case query.KindNull:
		case query.KindBool:
			args[i] = v.Bool()
		case query.KindInt:
			args[i] = v.Int()
		case query.KindFloat:
			args[i] = v.Float()
		case query.KindBytes:
			args[i] = []byte(v.Text())
		default:
			args[i] = v.Text()
		}
	}
	if !strings.HasPrefix(strings.TrimSpace(strings.ToUpper(s.SQL)), "SELECT") && !strings.Contains(strings.ToUpper(s.SQL), "RETURNING") {
		done, err := tx.ExecContext(ctx, s.SQL, args...)
		if err != nil {
			return query.Result{}, err
		}
		n, err := done.RowsAffected()
		return query.Result{Affected: n}, err
	}
	rows, err := tx.QueryContext(ctx, s.SQL, args...)
	if err != nil {
		return query.Result{}, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return query.Result{}, err
	}
	var result query.Result
	for rows.Next() {
		cells, into := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return result, err
		}
		row := make([]query.Value, len(cells))
		for i, cell := range cells {
			row[i] = value(cell)
		}
		result.Rows = append(result.Rows, row)
	}
	return result, rows.Err()
}

func value(cell any) query.Value {
	switch v := cell.(type) {
	case nil:
		return query.Null()
	case bool:
		return query.Bool(v)
	case int64:
		return query.Int(v)
	case float64:
		return query.Float(v)
	case string:
		return query.Text(v)
	case []byte:
		return query.Bytes(string(v))
	case time.Time:
		return query.Time(v)
	}
	panic(fmt.Sprintf("%T", cell))
}

// answer serves one effect of the module, with the effects of this host.
func (h *host) answer(e abi.Effect) abi.Answer {
	ctx := context.Background()
	var a abi.Answer
	var err error
	switch e.Kind {
	case abi.EffectQuery:
		a.Kind = abi.AnswerResults
		a.Results, err = h.Query(ctx, e.Atomic, e.Statements...)
	case abi.EffectKDF:
		a.Kind = abi.AnswerKey
		a.Bytes, err = h.DeriveKey(ctx, e.Params, e.Password, e.Salt)
	case abi.EffectRandom:
		a.Kind = abi.AnswerRandom
		a.Bytes, err = h.Random(ctx, e.N)
	case abi.EffectYield:
		a.Kind = abi.AnswerOK
		err = h.Yield(ctx)
	}
	switch {
	case errors.Is(err, query.ErrDuplicate):
		return abi.Answer{Kind: abi.AnswerDuplicate}
	case errors.Is(err, password.ErrDeclined):
		return abi.Answer{Kind: abi.AnswerDeclined}
	case err != nil:
		return abi.Answer{Kind: abi.AnswerError, Text: err.Error()}
	}
	return a
}

// guest drives a machine as a host of the module does, by frames alone.
type guest struct {
	tb      testing.TB
	machine *step.Machine
	table   *abi.Table
	rules   *step.Rules
	last    abi.Answer
	short   int // results that were told in few bytes
}

func newGuest(tb testing.TB, r *step.Rules) *guest {
	table, err := abi.NewTable(r.Statements())
	if err != nil {
		tb.Fatal(err)
	}
	m := step.NewMachine(r)
	tb.Cleanup(m.Close)
	return &guest{tb: tb, machine: m, table: table, rules: r}
}

// reply is a done frame, or one effect and its handle.
type reply struct {
	result *abi.Result
	handle uint32
	effect abi.Effect
}

func (g *guest) read(frame []byte) reply {
	g.tb.Helper()
	if abi.KindOf(frame) == abi.FrameDone {
		result, err := abi.DecodeDone(frame)
		if err != nil {
			g.tb.Fatal(err)
		}
		return reply{result: result}
	}
	if abi.KindOf(frame) == abi.FrameAllowed {
		a, err := abi.DecodeAllowed(frame)
		if err != nil {
			g.tb.Fatal(err)
		}
		result, err := g.rules.Shorthand().Result(&a, g.rules.Columns(), g.last.Results)
		if err != nil {
			g.tb.Fatal(err)
		}
		g.short++
		return reply{result: result}
	}
	handle, effects, err := abi.DecodeEffects(frame, g.table)
	if err != nil || len(effects) != 1 {
		g.tb.Fatalf("%d effects, %v", len(effects), err)
	}
	return reply{handle: handle, effect: effects[0]}
}

func (g *guest) begin(op *abi.Op) reply {
	g.tb.Helper()
	return g.read(g.machine.Begin(nil, abi.AppendBegin(nil, &abi.Start{Now: now}, op)))
}

func (g *guest) resume(handle uint32, a abi.Answer) reply {
	g.tb.Helper()
	g.last = a
	return g.read(g.machine.Resume(nil, handle, abi.AppendResume(nil, &abi.Start{Now: now}, a)))
}

func (g *guest) do(h *host, op *abi.Op) *abi.Result {
	g.tb.Helper()
	r := g.begin(op)
	for n := 0; r.result == nil; n++ {
		if n > math.MaxUint16 {
			g.tb.Fatal("the operation does not end")
		}
		r = g.resume(r.handle, h.answer(r.effect))
	}
	return r.result
}

// request is a JSON request of a page of the site itself, with a session cookie or without.
func request(session string) gate.Request {
	r := gate.Request{Method: "POST", URI: "/", Host: "example.com", Scheme: "https", Headers: []gate.Header{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Origin", Value: "https://example.com"},
	}}
	if session != "" {
		r.Headers = append(r.Headers, gate.Header{Name: "Cookie", Value: "sessionid=" + session})
	}
	return r
}
