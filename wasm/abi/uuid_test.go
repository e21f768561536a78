package abi_test

import (
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/wasm/abi"
)

// A column may be a UUID, a value is never one: it would have no bytes.
func TestKindUUID(t *testing.T) {
	frame := abi.AppendConfigured(nil, &abi.Configured{Columns: []query.Column{{Name: "id", Kind: query.KindUUID}}})
	c, err := abi.DecodeConfigured(frame)
	if err != nil || len(c.Columns) != 1 || c.Columns[0].Kind != query.KindUUID {
		t.Errorf("column: %+v, %v", c, err)
	}
	frame = abi.AppendConfigured(nil, &abi.Configured{Columns: []query.Column{{Name: "id", Kind: query.KindUUID + 1}}})
	if _, err = abi.DecodeConfigured(frame); err == nil {
		t.Error("a column of an unknown kind was read")
	}
	frame = abi.AppendDone(nil, &abi.Result{User: []query.Value{query.FromBits(query.KindUUID, 1)}})
	if _, err = abi.DecodeDone(frame); err == nil {
		t.Error("a value of kind uuid was read")
	}
}
