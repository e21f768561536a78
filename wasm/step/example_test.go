package step_test

import (
	"context"
	"fmt"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// nothing is a host that has a clock and nothing else.
type nothing struct{}

func (nothing) Now() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func (nothing) Random(context.Context, int) ([]byte, error) { return nil, djsession.ErrNoRandomness }

func (nothing) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return nil, fmt.Errorf("no database")
}

func (nothing) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, fmt.Errorf("no storage")
}

func (nothing) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (nothing) Yield(context.Context) error { return nil }

func ExampleRules_Do() {
	keys := signing.DeriveKeys("", "django-insecure-example", nil)
	rules, err := step.Configure([]abi.Setting{
		{Name: "version", Value: "5.2"},
		{Name: "key_session", Value: keys.Session.Current.Export()},
		{Name: "key_auth_hash", Value: keys.AuthHash.Current.Export()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, op := range []*abi.Op{
		{Kind: abi.OpVerifyPassword, Password: "lake", Encoded: "pbkdf2_sha256$1$salt$" + annHash},
		{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("0123456789abcdef0123456789abcdef")},
		{Kind: abi.OpMakePassword, Password: "lake"},
	} {
		decision := rules.Do(context.Background(), nothing{}, op).Decision
		fmt.Println(decision.Status, decision.Reason)
	}
	// Output:
	// 200 ok
	// 503 database_unavailable
	// 503 no_randomness
}
