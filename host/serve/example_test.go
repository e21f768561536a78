package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host/serve"
	"github.com/djedge/djedge/wasm/abi"
)

// anna is a host on which everybody is; a program passes its *host.Host.
type anna struct{}

func (anna) Do(context.Context, *abi.Op) *abi.Result {
	return &abi.Result{Decision: gate.Decision{
		Outcome: gate.Allow, Status: 200, Reason: gate.ReasonOK,
		SetHeaders: []gate.Header{{Name: "Remote-User", Value: "anna"}},
	}}
}
func (anna) Summary(*http.Request) gate.Request { return gate.Request{} }
func (anna) Columns() []query.Column            { return nil }

// A proxy asks /auth before it lets a request through, and copies the headers
// of the answer. Nothing else is open until Config.API names it.
func ExampleNew() {
	handler, err := serve.New(serve.Config{Host: anna{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"/auth", "/api/login"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Printf("%s %d %q\n", path, w.Code, w.Header().Get("Remote-User"))
	}
	// Output:
	// /auth 200 "anna"
	// /api/login 404 ""
}
