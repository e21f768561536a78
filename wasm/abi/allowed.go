package abi

import (
	"errors"
	"strconv"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// Allowed is a [Result] in few bytes, for a host that asked for shorthand: the
// check is allowed, and the user is a row that the host has just sent. See
// [Shorthand.Result].
type Allowed struct {
	Result     int // which of the results, from 0; the user is its first row
	Rule       int
	SessionKey string
}

// Shorthand is what a host needs to make a [Result] of an [Allowed].
type Shorthand struct {
	Names         gate.IdentityHeaders // to set; without values
	RemoveHeaders []string
	// Places of the identity's columns in a user's row, from 1; 0 is none.
	ID, Name, Email, Active, Staff, Superuser int
}

func (s *Shorthand) places() [6]*int {
	return [...]*int{&s.ID, &s.Name, &s.Email, &s.Active, &s.Staff, &s.Superuser}
}

// AppendAllowed appends an allowed frame to dst.
func AppendAllowed(dst []byte, a *Allowed) []byte {
	b, at := openFrame(dst, FrameAllowed)
	return closeRecord(putText(putI64(putU32(b, uint32(a.Result)), int64(a.Rule)), a.SessionKey), at)
}

// DecodeAllowed reads an allowed frame. Errors are a [*FrameError].
func DecodeAllowed(frame []byte) (Allowed, error) {
	r := newReader(frame, FrameAllowed, nil)
	r.strict = true // without a session it would allow nobody
	a := Allowed{Result: int(r.u32()), Rule: int(r.num32()), SessionKey: r.text()}
	if r.err == nil && a.SessionKey == "" {
		r.fail("no session key")
	}
	return a, r.err
}

var errRow = errors.New("the user is a row that was not sent")

// Result is what a stands for; results are those that the host answered with
// last, and the columns are those of the configured frame.
func (s *Shorthand) Result(a *Allowed, columns []query.Column, results []query.Result) (*Result, error) {
	if a.Result >= len(results) || len(results[a.Result].Rows) != 1 || len(results[a.Result].Rows[0]) != len(columns) {
		return nil, errRow
	}
	var made struct { // allocated at once
		Result
		identity gate.Identity
		headers  gate.IdentityHeaders
		row      [12]query.Value
	}
	row := append(made.row[:0], results[a.Result].Rows[0]...)
	for i := range row {
		switch c := &columns[i]; {
		case c.Name == passwordColumn:
			row[i] = query.Null()
		case c.Kind != row[i].Kind():
			row[i] = query.Coerce(row[i], c.Kind)
		}
	}
	value := func(place int) query.Value {
		if place < 1 || place > len(row) {
			return query.Null()
		}
		return row[place-1]
	}
	who := &made.identity
	who.ID, who.Name, who.Email = str(value(s.ID)), str(value(s.Name)), str(value(s.Email))
	if s.Active == 0 || value(s.Active).Bool() {
		who.Staff, who.Superuser = value(s.Staff).Bool(), value(s.Superuser).Bool()
	}
	if who.ID == "" {
		return nil, errRow
	}
	made.headers = s.Names
	made.headers.Set(who)
	made.User, made.SessionKey = row, a.SessionKey
	made.Decision = gate.Decision{
		Outcome: gate.Allow, Status: 200, Reason: gate.ReasonOK, Identity: who,
		SetHeaders: made.headers[:], RemoveHeaders: s.RemoveHeaders, Vary: true, Rule: a.Rule,
	}
	return &made.Result, nil
}

const passwordColumn = "password"

// str is Python's str() of a number or text; "" of anything else.
func str(v query.Value) string {
	switch v.Kind() {
	case query.KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case query.KindText, query.KindBytes:
		return v.Text()
	}
	return ""
}

func putShorthand(b []byte, s *Shorthand) []byte {
	if s == nil {
		return b
	}
	b = putCount(b, len(s.Names))
	for i := range s.Names {
		b = putText(b, s.Names[i].Name)
	}
	b = putTexts(b, s.RemoveHeaders)
	for _, place := range s.places() {
		b = putU32(b, uint32(*place))
	}
	return b
}

func (r *reader) shorthand() *Shorthand {
	if r.pos == r.end {
		return nil
	}
	s := &Shorthand{}
	names := r.texts()
	if len(names) != len(s.Names) {
		r.fail("another number of identity headers")
		return nil
	}
	for i := range names {
		s.Names[i].Name = names[i]
	}
	s.RemoveHeaders = r.texts()
	for _, place := range s.places() {
		*place = int(r.u32())
	}
	return s
}
