// Package module runs the rules inside djedge.wasm under wazero.
package module

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/wasm/abi"
)

type engine struct{ config Config }

func (e *engine) Configure(ctx context.Context, settings []abi.Setting) ([]query.Statement, error) {
	return nil, errors.New("module engine is not there yet")
}

func (e *engine) Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result {
	return &abi.Result{}
}

func (e *engine) Close(ctx context.Context) error { return nil }
