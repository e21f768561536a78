package host_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// Who may see what, by Django's own permissions and groups: for one handler,
// or in a list for all paths.
func ExampleHost_Require() {
	ctx := context.Background()
	path, cleanup := demo()
	defer cleanup()
	db, err := sqldb.OpenSQLite(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	edge, err := host.New(ctx, host.Config{DB: db, SecretKey: "the SECRET_KEY of settings.py", Rules: []gate.Rule{
		{Path: "/public/", Allow: gate.Anyone},
		{Path: "/books/", Methods: []string{"GET"}, Allow: gate.Group("Readers")},
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer edge.Close()

	reports := edge.Require(gate.Permission("reports.view_report"), ok)
	site := edge.Require(gate.ByRules, ok)

	cookie := logIn(edge)
	request := httptest.NewRequest("GET", "/reports/", nil)
	request.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	reports.ServeHTTP(w, request)
	fmt.Println("reports", w.Code)

	for _, uri := range []string{"/public/logo.svg", "/books/", "/public/../books/", "/accounts/"} {
		request := httptest.NewRequest("GET", "/", nil)
		request.RequestURI = uri
		request.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, request)
		decision := edge.Do(ctx, &abi.Op{Kind: abi.OpCheck, Require: gate.ByRules, Request: edge.Summary(request)}).Decision
		fmt.Println(uri, w.Code, decision.Reason)
	}
	// Output:
	// reports 403
	// /public/logo.svg 200 ok
	// /books/ 403 not_in_group
	// /public/../books/ 403 path_ambiguous
	// /accounts/ 200 ok
}
