package host_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"

	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
)

// A cart in Django's session: Django's own pages see the same one.
func ExampleSession() {
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

	add := edge.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, session := r.Context(), host.Session(r)
		raw, _, err := session.Raw(ctx, "cart_size")
		if err == nil {
			size, _ := strconv.Atoi(raw)
			err = session.Set(ctx, "cart_size", size+1)
		}
		if err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, "added") // the session is saved before this goes out
	}))

	cookie := ""
	for range 3 {
		r := httptest.NewRequest("POST", "/cart", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		add.ServeHTTP(w, r)
		cookie = "sessionid=" + w.Result().Cookies()[0].Value
	}
	r := httptest.NewRequest("GET", "/cart", nil)
	r.Header.Set("Cookie", cookie)
	edge.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(host.Session(r).Get(r.Context(), "cart_size"))
	})).ServeHTTP(httptest.NewRecorder(), r)
	// Output: 3 true <nil>
}

// A login page of the program's own.
func ExampleLogin() {
	ctx := context.Background()
	path, cleanup := demo()
	defer cleanup()
	db, err := sqldb.OpenSQLite(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	edge, err := host.New(ctx, host.Config{
		DB: db, SecretKey: "the SECRET_KEY of settings.py", PublicOrigins: []string{"https://example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer edge.Close()

	login := edge.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := host.Login(w, r, r.PostFormValue("username"), r.PostFormValue("password")); err != nil {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		name, _ := host.User(r).Get(r.Context(), "username")
		fmt.Fprintf(w, "welcome, %s", name)
	}))

	for _, password := range []string{"a guess", "a long password"} {
		r := httptest.NewRequest("POST", "/login", nil)
		r.Header.Set("Origin", "https://example.com")
		r.PostForm = map[string][]string{"username": {"ann"}, "password": {password}}
		w := httptest.NewRecorder()
		login.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body.String())
	}
	// Output:
	// 403 no
	//
	// 200 welcome, ann
}
