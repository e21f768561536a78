package abi

import (
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/password"
)

// EffectKind is what an operation needs from its host. The numbers are part of the ABI.
type EffectKind uint8

const (
	EffectQuery   EffectKind = iota + 1 // run Statements, in a transaction when Atomic
	EffectKDF                           // derive a key, or decline
	EffectRandom                        // N bytes fit for secrets
	EffectYield                         // nothing but a turn for others
	EffectStorage                       // do Storage, on the cache or the session files
)

// Effect is one need. Each kind reads the fields named beside it in [EffectKind].
type Effect struct {
	Kind       EffectKind
	Atomic     bool
	Statements []query.Statement
	Params     password.Params
	Password   []byte
	Salt       []byte
	N          int
	Storage    djsession.StorageOp
}

// Table is the statements that both sides know from configuration on, so that
// effects carry positions and no SQL.
type Table struct {
	statements []query.Statement
	index      map[string]uint32
	repeated   atomic.Pointer[repeated]
}

// repeated is the list of headers to remove, which nearly every decision has and
// which is always the same: it is written and read once.
type repeated struct {
	texts   []string
	encoded string
}

// Repeat makes [Table.AppendDone] quick with results that remove these headers,
// given by the very same slice.
func (t *Table) Repeat(removeHeaders []string) {
	t.repeated.Store(&repeated{removeHeaders, string(putTexts(nil, removeHeaders))})
}

// NewTable keeps statements in their order, which is the ABI's. Two of one
// name are refused.
func NewTable(statements []query.Statement) (*Table, error) {
	t := &Table{statements: statements, index: make(map[string]uint32, len(statements))}
	for i, s := range statements {
		if _, twice := t.index[s.Name]; twice {
			return nil, errors.New("two statements are called " + s.Name)
		}
		t.index[s.Name] = uint32(i)
	}
	return t, nil
}

// Statements is the table in its order.
func (t *Table) Statements() []query.Statement { return t.statements }

// Has reports whether the table holds a statement of that name.
func (t *Table) Has(name string) bool {
	_, ok := t.find(name)
	return ok
}

// find is the place of the statement of that name. The rules ask with the very
// strings that the table was made of; they are found without looking at letters,
// which takes a guest more time than all the rest of a message.
func (t *Table) find(name string) (uint32, bool) {
	at := unsafe.StringData(name)
	for i := range t.statements {
		if s := t.statements[i].Name; unsafe.StringData(s) == at && len(s) == len(name) {
			return uint32(i), true
		}
	}
	index, ok := t.index[name]
	return index, ok
}

// AppendEffects appends an effects frame to dst. A statement that is neither
// in the table nor ad hoc is an error, and dst is returned as it was.
func AppendEffects(dst []byte, table *Table, handle uint32, effects ...Effect) ([]byte, error) {
	b, at := openFrame(dst, FrameEffects)
	b = putCount(putI64(b, int64(handle)), len(effects))
	for i := range effects {
		var err error
		if b, err = putEffect(b, table, &effects[i]); err != nil {
			return dst, err
		}
	}
	return closeRecord(b, at), nil
}

// DecodeEffects reads an effects frame. Statements get name and SQL from the
// table. Errors are a [*FrameError].
func DecodeEffects(frame []byte, table *Table) (handle uint32, effects []Effect, err error) {
	r := newReader(frame, FrameEffects, nil)
	r.few = new(few)
	handle = r.num32()
	n, outer := r.openList(5)
	if effects = r.few.effects[:]; n != len(effects) {
		effects = make([]Effect, n)
	}
	for i := range effects {
		effects[i] = r.effect(table)
	}
	r.closeList(outer)
	if r.err == nil && n == 0 {
		r.fail("no effects")
	}
	if r.err != nil {
		return 0, nil, r.err
	}
	return handle, effects, nil
}

// few is room for what effects mostly are, allocated at once.
type few struct {
	effects    [1]Effect
	statements [2]query.Statement
	values     [4]query.Value
	asked      bool // statements are taken
	taken      int  // values
}

// take is n values, or nil when there is no room for them.
func (f *few) take(n int) []query.Value {
	if f == nil || n > len(f.values)-f.taken {
		return nil
	}
	f.taken += n
	return f.values[f.taken-n : f.taken : f.taken]
}

func putEffect(b []byte, table *Table, e *Effect) ([]byte, error) {
	b, at := openRecord(append(b, byte(e.Kind)))
	switch e.Kind {
	case EffectQuery:
		b = putCount(putBool(b, e.Atomic), len(e.Statements))
		for i := range e.Statements {
			s := &e.Statements[i]
			var record int
			b, record = openRecord(b)
			if s.AdHoc {
				b = putText(putText(putU32(b, adHoc), s.Name), s.SQL)
			} else {
				index, known := table.find(s.Name)
				if !known {
					return nil, errors.New("statement " + s.Name + " is not in the table")
				}
				b = putU32(b, index)
			}
			b = closeRecord(putValues(b, s.Args), record)
		}
	case EffectKDF:
		p := &e.Params
		b = append(b, byte(p.Function))
		for _, n := range [...]uint32{p.Iterations, p.Memory, p.Parallelism, p.N, p.R, p.Version, p.KeyLen} {
			b = putI64(b, int64(n))
		}
		b = putText(putText(b, e.Password), e.Salt)
	case EffectRandom:
		b = putI64(b, int64(e.N))
	case EffectYield:
	case EffectStorage:
		s := &e.Storage
		b = putText(putText(append(b, byte(s.Kind)), s.Key), s.Value)
		b = putI64(putI64(b, int64(s.Flags)), int64(s.TTL/time.Second))
	default:
		return nil, errors.New("unknown effect")
	}
	return closeRecord(b, at), nil
}

func (r *reader) effect(table *Table) (e Effect) {
	e.Kind = EffectKind(r.u8())
	outer := r.openRecord()
	switch e.Kind {
	case EffectQuery:
		e.Atomic = r.bool()
		n, list := r.openList(4)
		if n <= len(r.few.statements) && !r.few.asked {
			e.Statements, r.few.asked = r.few.statements[:n:n], true
		} else {
			e.Statements = make([]query.Statement, n)
		}
		for i := range e.Statements {
			e.Statements[i] = r.statement(table)
		}
		r.closeList(list)
	case EffectKDF:
		e.Params = password.Params{
			Function:   password.Function(r.u8()),
			Iterations: r.num32(), Memory: r.num32(), Parallelism: r.num32(),
			N: r.num32(), R: r.num32(), Version: r.num32(), KeyLen: r.num32(),
		}
		e.Password, e.Salt = r.bytes(), r.bytes()
	case EffectRandom:
		n := r.i64()
		if n < 0 || n > MaxRandom {
			r.fail("number out of range")
			n = 0
		}
		e.N = int(n)
	case EffectYield:
	case EffectStorage:
		e.Storage = r.storage()
	default:
		r.fail("unknown effect")
	}
	r.closeRecord(outer)
	return e
}

func (r *reader) statement(table *Table) (s query.Statement) {
	outer := r.openRecord()
	r.strict = true // a statement without its index would be the first of the table
	index := r.u32()
	r.strict = false
	switch {
	case r.err != nil:
	case index == adHoc:
		s = query.Statement{Name: r.text(), SQL: r.text(), AdHoc: true}
	case int64(index) >= int64(len(table.statements)):
		r.fail("statement that is not in the table")
	default:
		s = table.statements[index]
	}
	s.Args = r.values()
	r.closeRecord(outer)
	return s
}

// maxTTL is in seconds, the most that a [time.Duration] can hold.
const maxTTL = 1<<63/1_000_000_000 - 1

func (r *reader) storage() djsession.StorageOp {
	op := djsession.StorageOp{Kind: djsession.StorageKind(r.u8()), Key: r.text(), Value: r.text(), Flags: r.num32()}
	seconds := r.i64()
	switch {
	case op.Kind < djsession.CacheGet || op.Kind > djsession.FileList:
		r.fail("unknown operation on a storage")
	case seconds < -maxTTL || seconds > maxTTL:
		r.fail("number out of range")
	}
	op.TTL = time.Duration(seconds) * time.Second
	return op
}
