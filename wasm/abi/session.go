package abi

import "github.com/djedge/djedge/djsession"

// putState appends what an operation says of a session: an empty record when
// that is nothing.
func putState(b []byte, op *Op) []byte {
	b, at := openRecord(b)
	s := &op.Session
	if s.Resolved || s.Loaded || s.Accessed || s.Modified || s.Key != "" || len(s.Items) > 0 || op.Status != 0 {
		b = putText(b, s.Key)
		b = putBool(putBool(putBool(putBool(b, s.Resolved), s.Loaded), s.Accessed), s.Modified)
		b = putI64(putItems(b, s.Items), int64(op.Status))
	}
	return closeRecord(b, at)
}

func (r *reader) state(op *Op) {
	outer := r.openRecord()
	op.Session = djsession.State{
		Key: r.text(), Resolved: r.bool(), Loaded: r.bool(), Accessed: r.bool(), Modified: r.bool(),
		Items: r.items(),
	}
	op.Status = int(r.num32())
	r.closeRecord(outer)
}

func putItems(b []byte, items []djsession.Item) []byte {
	b = putCount(b, len(items))
	for _, item := range items {
		b = putText(putText(putText(b, item.Key), item.Raw), item.Pickled)
	}
	return b
}

func (r *reader) items() []djsession.Item {
	n, outer := r.openList(12)
	if n == 0 {
		return nil
	}
	items := make([]djsession.Item, n)
	for i := range items {
		items[i] = djsession.Item{Key: r.text(), Raw: r.text(), Pickled: r.text()}
	}
	r.closeList(outer)
	return items
}
