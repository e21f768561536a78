package abi

import (
	"strings"

	"github.com/djedge/djedge/djuser/gate"
)

// MaxRandom is the most randomness in bytes that one effect may ask for.
const MaxRandom = 64 << 10

// AppendDone appends a done frame to dst.
func AppendDone(dst []byte, result *Result) []byte { return (*Table)(nil).AppendDone(dst, result) }

// AppendDone is the function of this name, which need not look at what every
// result repeats.
func (t *Table) AppendDone(dst []byte, result *Result) []byte {
	b, at := openFrame(dst, FrameDone)
	b = t.putDecision(b, &result.Decision)
	b = putText(b, result.SessionKey)
	b = putValues(b, result.User)
	if len(result.Session) == 0 && result.Text == "" && !result.SessionModified && len(result.Permissions) == 0 && len(result.Groups) == 0 && !result.Everything {
		return closeRecord(b, at) // a message may end early
	}
	b = putItems(b, result.Session)
	b = putText(b, result.Text)
	b = putTexts(putTexts(putBool(b, result.SessionModified), result.Permissions), result.Groups)
	return closeRecord(putBool(b, result.Everything), at)
}

// DecodeDone reads a done frame. Errors are a [*FrameError]. A decision that
// is missing from the frame is the zero one, which lets nobody in.
func DecodeDone(frame []byte) (*Result, error) { return (*Table)(nil).DecodeDone(frame) }

// DecodeDone is the function of this name. Results may share
// [gate.Decision].RemoveHeaders.
func (t *Table) DecodeDone(frame []byte) (*Result, error) {
	r := newReader(frame, FrameDone, nil)
	r.table = t
	var read struct { // allocated at once
		Result
		identity gate.Identity
	}
	result := &read.Result
	r.decision(&result.Decision, &read.identity)
	result.SessionKey, result.User = r.text(), r.values()
	if r.pos < r.end {
		result.Session = r.items()
		result.Text = r.text()
		result.SessionModified = r.bool()
		result.Permissions, result.Groups, result.Everything = r.texts(), r.texts(), r.bool()
	}
	if r.err != nil {
		return nil, r.err
	}
	return result, nil
}

func (t *Table) putDecision(b []byte, d *gate.Decision) []byte {
	b, at := openRecord(b)
	b = putI64(append(b, byte(d.Outcome)), int64(d.Status))
	b = putText(append(b, byte(d.Reason)), d.Detail)
	b = putBool(b, d.Identity != nil)
	b, record := openRecord(b)
	if who := d.Identity; who != nil {
		b = putText(putText(putText(b, who.ID), who.Name), who.Email)
		b = putBool(putBool(b, who.Staff), who.Superuser)
	}
	b = closeRecord(b, record)
	b = putHeaders(b, d.SetHeaders)
	b = putTexts(t.putRepeated(b, d.RemoveHeaders), d.Cookies)
	return closeRecord(putI64(putBool(b, d.Vary), int64(d.Rule)), at)
}

func (r *reader) decision(d *gate.Decision, who *gate.Identity) {
	outer := r.openRecord()
	if d.Outcome = gate.Outcome(r.u8()); d.Outcome > gate.Redirect {
		r.fail("unknown outcome")
	}
	d.Status, d.Reason, d.Detail = int(r.num32()), gate.Reason(r.u8()), r.text()
	known := r.bool()
	record := r.openRecord()
	if known {
		who.ID, who.Name, who.Email = r.text(), r.text(), r.text()
		who.Staff, who.Superuser = r.bool(), r.bool()
		d.Identity = who
	}
	r.closeRecord(record)
	d.SetHeaders = r.headers()
	d.RemoveHeaders = r.repeated()
	d.Cookies = r.texts()
	d.Vary = r.bool()
	d.Rule = int(r.num32())
	r.closeRecord(outer)
}

func (t *Table) putRepeated(b []byte, texts []string) []byte {
	if t != nil && len(texts) > 0 {
		if known := t.repeated.Load(); known != nil && len(known.texts) == len(texts) && &known.texts[0] == &texts[0] {
			return append(b, known.encoded...)
		}
	}
	return putTexts(b, texts)
}

// repeated reads what putRepeated wrote.
func (r *reader) repeated() []string {
	if r.table == nil {
		return r.texts()
	}
	if known := r.table.repeated.Load(); known != nil && strings.HasPrefix(r.s[r.pos:r.end], known.encoded) {
		r.pos += len(known.encoded)
		r.elements -= len(known.texts)
		return known.texts
	}
	from := r.pos
	texts := r.texts()
	if r.err == nil && len(texts) > 0 {
		known := &repeated{encoded: strings.Clone(r.s[from:r.pos])}
		again := reader{s: known.encoded, end: len(known.encoded), elements: maxElements, strict: true}
		known.texts = again.texts() // which do not keep this message
		r.table.repeated.Store(known)
	}
	return texts
}

func putTexts(b []byte, texts []string) []byte {
	b = putCount(b, len(texts))
	for _, t := range texts {
		b = putText(b, t)
	}
	return b
}

func (r *reader) texts() []string {
	n, outer := r.openList(4)
	if n == 0 {
		return nil
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = r.text()
	}
	r.closeList(outer)
	return texts
}
