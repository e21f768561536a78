package host_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// A page for those whom Django knows, beside Django's own, on its SQLite database.
func ExampleNew() {
	ctx := context.Background()
	path, cleanup := demo()
	defer cleanup()

	db, err := sqldb.OpenSQLite(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	edge, err := host.New(ctx, host.Config{DB: db, SecretKey: "the SECRET_KEY of settings.py"})
	if err != nil {
		log.Fatal(err)
	}
	defer edge.Close()

	mux := http.NewServeMux()
	mux.Handle("/reports/", edge.Require(gate.Authenticated, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := host.User(r).Get(r.Context(), "username")
		if err != nil {
			http.Error(w, "who are you?", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "reports for %s", name)
	})))

	for _, cookie := range []string{"", logIn(edge)} {
		r := httptest.NewRequest("GET", "/reports/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body.String())
	}
	// Output:
	// 401 Unauthorized
	//
	// 200 reports for ann
}

// A page for everybody, which greets those who are logged in.
func ExampleHost_Middleware() {
	ctx := context.Background()
	path, cleanup := demo()
	defer cleanup()
	db, err := sqldb.OpenSQLite(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	edge, err := host.New(ctx, host.Config{DB: db, SecretKey: "the SECRET_KEY of settings.py"})
	if err != nil {
		log.Fatal(err)
	}
	defer edge.Close()

	page := edge.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := host.User(r).Map(r.Context()) // the first question reads the database
		switch {
		case err != nil:
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		case user == nil:
			fmt.Fprint(w, "hello, stranger")
		default:
			fmt.Fprintf(w, "hello, %s <%s>", user["username"], user["email"])
		}
	}))

	for _, cookie := range []string{"", logIn(edge)} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		fmt.Println(w.Body.String())
	}
	// Output:
	// hello, stranger
	// hello, ann <ann@example.com>
}

// demo makes a database as `manage.py migrate` would, with one user.
func demo() (path string, cleanup func()) {
	dir, err := os.MkdirTemp("", "djedge-example")
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "db.sqlite3")
	db, err := sqldb.CreateSQLite(context.Background(), path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := sqldb.CreateDjangoSchema(context.Background(), db); err != nil {
		log.Fatal(err)
	}
	edge, err := host.New(context.Background(), host.Config{DB: db, SecretKey: "the SECRET_KEY of settings.py", PBKDF2Iterations: 1000})
	if err != nil {
		log.Fatal(err)
	}
	defer edge.Close()
	operation(edge, abi.Op{Kind: abi.OpRegister, Username: "ann", Email: "ann@example.com", Password: "a long password"})
	return path, func() { _ = os.RemoveAll(dir) }
}

// logIn returns the cookie that a browser would send from then on.
func logIn(edge *host.Host) string {
	return "sessionid=" + operation(edge, abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "a long password"}).SessionKey
}

func operation(edge *host.Host, op abi.Op) *abi.Result {
	op.Request = edge.Summary(httptest.NewRequest("POST", "/", nil))
	result := edge.Do(context.Background(), &op)
	if result.Decision.Outcome != gate.Allow {
		log.Fatal(result.Decision.Reason)
	}
	return result
}
