package abi

import (
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
)

// AnswerKind is how a host answered an [Effect]. The numbers are part of the ABI.
type AnswerKind uint8

const (
	AnswerOK        AnswerKind = iota + 1 // a yield: go on
	AnswerResults                         // a query: Results, one for each statement
	AnswerDuplicate                       // a query broke a uniqueness rule; of an atomic one nothing happened
	AnswerError                           // any effect: it failed, and Text is for the log
	AnswerKey                             // a key derivation: Bytes
	AnswerDeclined                        // a key derivation: the guest shall do it
	AnswerRandom                          // randomness: Bytes
	AnswerStored                          // an operation on a storage: Stored
)

// Answer is the answer to one [Effect].
type Answer struct {
	Kind    AnswerKind
	Results []query.Result
	Text    string // never holds a secret
	Bytes   []byte
	Stored  djsession.StorageResult
}

// AppendResume appends a resume frame to dst. Answers are in the order of the effects.
func AppendResume(dst []byte, start *Start, answers ...Answer) []byte {
	b, at := openFrame(dst, FrameResume)
	b = putCount(putStart(b, start), len(answers))
	for i := range answers {
		a := &answers[i]
		var record int
		b, record = openRecord(append(b, byte(a.Kind)))
		switch a.Kind {
		case AnswerResults:
			b = putCount(b, len(a.Results))
			for j := range a.Results {
				b = putResult(b, &a.Results[j])
			}
		case AnswerError:
			b = putText(b, a.Text)
		case AnswerKey, AnswerRandom:
			b = putText(b, a.Bytes)
		case AnswerStored:
			s := &a.Stored
			b = putText(putBool(b, s.Found), s.Value)
			b = putI64(putI64(b, int64(s.Flags)), micros(s.Modified))
		}
		b = closeRecord(b, record)
	}
	return closeRecord(b, at)
}

// DecodeResume reads a resume frame into start and answers. Errors are a [*FrameError].
func DecodeResume(frame []byte, start *Start) ([]Answer, error) {
	return (*Memory)(nil).DecodeResume(frame, start)
}

// DecodeResume is the function of this name with what it reads kept in m.
func (m *Memory) DecodeResume(frame []byte, start *Start) ([]Answer, error) {
	r := newReader(frame, FrameResume, m)
	*start = r.start()
	n, outer := r.openList(5)
	var answers []Answer
	if m == nil {
		answers = make([]Answer, n)
	} else {
		answers = m.answers.take(n)
	}
	for i := range answers {
		answers[i] = r.answer()
	}
	r.closeList(outer)
	if r.err != nil {
		return nil, r.err
	}
	return answers, nil
}

func (r *reader) answer() (a Answer) {
	a.Kind = AnswerKind(r.u8())
	outer := r.openRecord()
	switch a.Kind {
	case AnswerResults:
		n, list := r.openList(4)
		if r.memory == nil {
			a.Results = make([]query.Result, n)
		} else {
			a.Results = r.memory.results.take(n)
		}
		for i := range a.Results {
			a.Results[i] = r.result()
		}
		r.closeList(list)
	case AnswerError:
		a.Text = r.text()
	case AnswerKey, AnswerRandom:
		a.Bytes = r.bytes()
	case AnswerStored:
		a.Stored = djsession.StorageResult{Found: r.bool(), Value: r.text(), Flags: r.num32()}
		if n := r.i64(); n != 0 {
			a.Stored.Modified = time.UnixMicro(n).UTC()
		}
	case AnswerOK, AnswerDuplicate, AnswerDeclined:
	default:
		r.fail("unknown answer")
	}
	r.closeRecord(outer)
	return a
}

func putResult(b []byte, q *query.Result) []byte {
	b, at := openRecord(b)
	b = putColumns(putI64(b, q.Affected), q.Columns)
	b = putCount(b, len(q.Rows))
	for _, row := range q.Rows {
		b = putValues(b, row)
	}
	return closeRecord(b, at)
}

func (r *reader) result() (q query.Result) {
	outer := r.openRecord()
	q.Affected = r.i64()
	q.Columns = r.columns()
	n, list := r.openList(4)
	switch {
	case n > 0 && r.memory == nil:
		q.Rows = make([][]query.Value, n)
	case n > 0:
		q.Rows = r.memory.rows.take(n)
	}
	for i := range q.Rows {
		q.Rows[i] = r.values()
	}
	r.closeList(list)
	r.closeRecord(outer)
	return q
}

// micros is 0 for the zero time, as what is no file has it.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
