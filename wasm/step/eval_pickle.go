package step

import (
	"context"
	"encoding/base64"

	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djuser"
)

// evalPickle reads a session as caches hold it and answers it as JSON and, in
// base64, as it is written again in the protocol.
func evalPickle(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	data, err := base64.StdEncoding.DecodeString(a.text("b64"))
	if err != nil {
		a.fail(argumentErrorf("argument b64 is not base64"))
	}
	protocol := int(a.integer("protocol"))
	if a.err != nil {
		return "", a.err
	}
	members, err := pickle.Decode(string(data), pickle.Limits{})
	if err != nil {
		return "", err
	}
	var raw []string
	for _, m := range members {
		raw = append(raw, m.Key, m.Raw)
	}
	again, err := pickle.Encode(members, protocol)
	if err != nil {
		return "", argumentErrorf("writing it again: %v", err)
	}
	return object("json", pyjson.Quote(object(raw...)), "again", pyjson.Quote(base64.StdEncoding.EncodeToString([]byte(again)))), nil
}
