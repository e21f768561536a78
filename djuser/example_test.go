package djuser_test

import (
	"context"
	"fmt"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

// Who is logged in is asked with a session key and answered with a user or a
// reason. The host here keeps its tables in memory; host.New brings real ones.
func Example() {
	ctx := context.Background()
	keys := signing.DeriveKeys("", "the site's SECRET_KEY", nil)
	store, err := djsession.New(djsession.Settings{Dialect: query.SQLite, Keys: keys})
	if err != nil {
		fmt.Println(err)
		return
	}
	hashers, err := password.New(password.Config{PBKDF2Iterations: 1000}) // cheap, for this example
	if err != nil {
		fmt.Println(err)
		return
	}
	users, err := djuser.New(djuser.Settings{Dialect: query.SQLite, Keys: keys, Hashers: hashers}, store)
	if err != nil {
		fmt.Println(err)
		return
	}
	host := memory(store, users)

	if _, err := users.Register(ctx, host, "zoe", "zoe@Example.com", "correct horse"); err != nil {
		fmt.Println(err)
		return
	}
	_, err = users.Authenticate(ctx, host, "zoe", "battery staple")
	fmt.Println(err)

	user, err := users.Authenticate(ctx, host, "zoe", "correct horse")
	if err != nil {
		fmt.Println(err)
		return
	}
	session := djsession.NewSession("")
	if err := users.Login(ctx, host, session, user); err != nil {
		fmt.Println(err)
		return
	}

	_, user, why, err := users.FromKey(ctx, host, session.Key(), query.Null())
	fmt.Println(user.Username(), user.Email(), why, err)

	if err := users.SetPassword(ctx, host, user.ID(), "a new one"); err != nil {
		fmt.Println(err)
		return
	}
	_, user, why, err = users.FromKey(ctx, host, session.Key(), query.Null())
	fmt.Println(user == nil, why == gate.ReasonAuthHashMismatch, err)
	// Output:
	// bad_credentials
	// zoe zoe@example.com ok <nil>
	// true true <nil>
}

func memory(store *djsession.Store, users *djuser.Users) *fake {
	f := &fake{sessions: map[string]string{}, columns: users.Columns(), statements: map[string]string{}}
	for _, s := range append(store.Statements(), users.Statements()...) {
		f.statements[s.Name] = s.SQL
	}
	return f
}
