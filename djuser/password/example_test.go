package password_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/password"
)

// A hash that Django 2.2 wrote is read by a site of Django 5.2, which would
// hash the password anew.
func ExampleHashers_Check() {
	hashers, err := password.New(password.Config{Version: version.Version{Major: 5, Minor: 2}})
	if err != nil {
		panic(err)
	}
	encoded := "pbkdf2_sha256$3$a b$DFDJjXZ5ey5fiPru1xJauxP2oQCPmph//1R9HStg50g="
	ok, mustUpdate, err := hashers.Check(context.Background(), nil, "JjCcyGzz", encoded)
	fmt.Println(ok, mustUpdate, err)
	// Output: true true <nil>
}

// Whoever can write a hash cannot make a login cost more than the limits.
func ExampleHashers_Readable() {
	hashers, err := password.New(password.Config{})
	if err != nil {
		panic(err)
	}
	err = hashers.Readable("pbkdf2_sha256$2147483647$salt$xZY7qCE0JWgeVtFdEYT1SFrq61G/cVtZsxq5lRxat3g=")
	fmt.Println(errors.Is(err, password.ErrCost), err)
	// Output: true pbkdf2_sha256: password hash asks for more work than allowed
}
