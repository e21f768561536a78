package abi

import "github.com/djedge/djedge/djuser/gate"

// MaxRandom is the most randomness in bytes that one effect may ask for.
const MaxRandom = 64 << 10

// AppendDone appends a done frame to dst.
func AppendDone(dst []byte, result *Result) []byte {
	b, at := openFrame(dst, FrameDone)
	b = putDecision(b, &result.Decision)
	b = putText(b, result.SessionKey)
	b = putValues(b, result.User)
	b = putItems(b, result.Session)
	b = putText(b, result.Text)
	b = putTexts(putTexts(putBool(b, result.SessionModified), result.Permissions), result.Groups)
	return closeRecord(putBool(b, result.Everything), at)
}

// DecodeDone reads a done frame. Errors are a [*FrameError]. A decision that
// is missing from the frame is the zero one, which lets nobody in.
func DecodeDone(frame []byte) (*Result, error) {
	r := newReader(frame, FrameDone, nil)
	result := &Result{Decision: r.decision(), SessionKey: r.text(), User: r.values()}
	result.Session = r.items()
	result.Text = r.text()
	result.SessionModified = r.bool()
	result.Permissions, result.Groups, result.Everything = r.texts(), r.texts(), r.bool()
	if r.err != nil {
		return nil, r.err
	}
	return result, nil
}

func putDecision(b []byte, d *gate.Decision) []byte {
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
	b = putTexts(b, d.RemoveHeaders)
	b = putTexts(b, d.Cookies)
	return closeRecord(putI64(putBool(b, d.Vary), int64(d.Rule)), at)
}

func (r *reader) decision() gate.Decision {
	outer := r.openRecord()
	d := gate.Decision{Outcome: gate.Outcome(r.u8())}
	if d.Outcome > gate.Redirect {
		r.fail("unknown outcome")
	}
	d.Status, d.Reason, d.Detail = int(r.num32()), gate.Reason(r.u8()), r.text()
	known := r.bool()
	record := r.openRecord()
	if known {
		d.Identity = &gate.Identity{
			ID: r.text(), Name: r.text(), Email: r.text(),
			Staff: r.bool(), Superuser: r.bool(),
		}
	}
	r.closeRecord(record)
	d.SetHeaders = r.headers()
	d.RemoveHeaders = r.texts()
	d.Cookies = r.texts()
	d.Vary = r.bool()
	d.Rule = int(r.num32())
	r.closeRecord(outer)
	return d
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
