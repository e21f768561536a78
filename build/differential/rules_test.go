package differential

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// rules answer through the conformance seam of the native engine.
type rules struct{ engine host.Engine }

func newRules(t testing.TB) *rules {
	t.Helper()
	e := host.Native()
	keys := signing.DeriveKeys("", "functions take their keys from the arguments", nil)
	if _, err := e.Configure(context.Background(), host.KeySettings(keys)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return &rules{e}
}

// errRefused is the rules saying no.
var errRefused = errors.New("refused")

// eval calls a function of the seam; args are marshalled, but a RawMessage is passed as it is.
func (r *rules) eval(function string, args map[string]any) (string, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	result := r.engine.Do(context.Background(), &abi.Op{Kind: abi.OpEval, Function: function, Arguments: string(text)}, noEffects{})
	switch {
	case result.Decision.Outcome == gate.Allow:
		return result.Text, nil
	case result.Decision.Outcome == gate.Deny && !strings.HasPrefix(result.Decision.Detail, "eval: "):
		return "", errRefused
	}
	return "", errors.New(function + ": " + result.Decision.Reason.String() + ": " + result.Decision.Detail)
}

// unpickle is the reader of cached sessions, by way of JSON.
func unpickle(b64 string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return "", err
	}
	members, err := pickle.Decode(string(data), pickle.Limits{})
	if err != nil {
		return "", errRefused
	}
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = pyjson.Quote(m.Key) + ":" + m.Raw
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// noEffects: nothing here has a database, a storage or a clock of its own.
type noEffects struct{}

func (noEffects) Now() time.Time { return time.Now().UTC() }

func (noEffects) Random(context.Context, int) ([]byte, error) {
	return nil, errors.New("nothing here is random")
}

func (noEffects) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return nil, errors.New("there is no database")
}

func (noEffects) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, errors.New("there is no storage")
}

func (noEffects) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (noEffects) Yield(ctx context.Context) error { return ctx.Err() }
