package abi

import (
	"time"

	"github.com/djedge/djedge/djuser/gate"
)

// AppendBegin appends a begin frame to dst.
func AppendBegin(dst []byte, start *Start, op *Op) []byte {
	b, at := openFrame(dst, FrameBegin)
	b = putStart(b, start)
	b, record := openRecord(b)
	b = append(b, byte(op.Kind))
	b = putRequest(b, &op.Request)
	b = putText(b, op.Require)
	b = putValue(b, op.Hint)
	if isCheck(op) { // nothing follows: a record may end early
		return closeRecord(closeRecord(b, record), at)
	}
	for _, s := range [...]string{op.UserID, op.Username, op.Password, op.Email, op.Encoded, op.Hasher} {
		b = putText(b, s)
	}
	b = putCount(b, len(op.Fields))
	for _, f := range op.Fields {
		b = putValue(putText(b, f.Column), f.Value)
	}
	b = putText(putText(b, op.Function), op.Arguments)
	b = putText(putState(b, op), op.CSRFToken)
	return closeRecord(closeRecord(b, record), at)
}

// isCheck reports whether op has nothing but a request and what it requires.
func isCheck(op *Op) bool {
	s := &op.Session
	return (op.Kind == OpCheck || op.Kind == OpLoadUser || op.Kind == OpPermissions || op.Kind == OpVisit) &&
		op.UserID == "" && op.Username == "" && op.Password == "" && op.Email == "" && op.Encoded == "" && op.Hasher == "" &&
		len(op.Fields) == 0 && op.Function == "" && op.Arguments == "" && op.Status == 0 && op.CSRFToken == "" &&
		!s.Resolved && !s.Loaded && !s.Accessed && !s.Modified && s.Key == "" && len(s.Items) == 0
}

// DecodeBegin reads a begin frame into start and op, whose old contents are
// gone. Errors are a [*FrameError].
func DecodeBegin(frame []byte, start *Start, op *Op) error {
	return (*Memory)(nil).DecodeBegin(frame, start, op)
}

// DecodeBegin is the function of this name with what it reads kept in m.
func (m *Memory) DecodeBegin(frame []byte, start *Start, op *Op) error {
	r := newReader(frame, FrameBegin, m)
	*start = r.start()
	outer := r.openRecord()
	*op = Op{}
	op.Kind = OpKind(r.u8())
	r.request(&op.Request)
	op.Require = gate.Requirement(r.text())
	op.Hint = r.value()
	if r.pos < r.end {
		r.rest(op)
	}
	r.closeRecord(outer)
	return r.err
}

// rest reads the fields that a check does not have.
func (r *reader) rest(op *Op) {
	for _, s := range [...]*string{&op.UserID, &op.Username, &op.Password, &op.Email, &op.Encoded, &op.Hasher} {
		*s = r.text()
	}
	op.Fields = r.fields()
	op.Function, op.Arguments = r.text(), r.text()
	r.state(op)
	op.CSRFToken = r.text()
}

func putStart(b []byte, s *Start) []byte {
	b, at := openRecord(b)
	var now int64
	if !s.Now.IsZero() {
		now = s.Now.UnixMicro()
	}
	return closeRecord(putText(putI64(b, now), s.Random), at)
}

// start has the zero time when the host gave no clock.
func (r *reader) start() Start {
	outer := r.openRecord()
	var s Start
	if now := r.i64(); now != 0 {
		s.Now = time.UnixMicro(now).UTC()
	}
	s.Random = r.bytes()
	r.closeRecord(outer)
	return s
}

func putRequest(b []byte, q *gate.Request) []byte {
	b, at := openRecord(b)
	b = putText(putText(putText(putText(b, q.Method), q.URI), q.Host), q.Scheme)
	return closeRecord(putHeaders(b, q.Headers), at)
}

func (r *reader) request(q *gate.Request) {
	outer := r.openRecord()
	q.Method, q.URI, q.Host, q.Scheme = r.text(), r.text(), r.text(), r.text()
	q.Headers = r.headers()
	r.closeRecord(outer)
}

func putHeaders(b []byte, headers []gate.Header) []byte {
	b = putCount(b, len(headers))
	for _, h := range headers {
		b = putText(putText(b, h.Name), h.Value)
	}
	return b
}

func (r *reader) headers() []gate.Header {
	n, outer := r.openList(8)
	if n == 0 {
		return nil
	}
	var headers []gate.Header
	if r.memory == nil {
		headers = make([]gate.Header, n)
	} else {
		headers = r.memory.headers.take(n)
	}
	for i := range headers {
		headers[i] = gate.Header{Name: r.text(), Value: r.text()}
	}
	r.closeList(outer)
	return headers
}

func (r *reader) fields() []Field {
	n, outer := r.openList(5)
	if n == 0 {
		return nil
	}
	fields := make([]Field, n)
	for i := range fields {
		fields[i] = Field{Column: r.text(), Value: r.value()}
	}
	r.closeList(outer)
	return fields
}
