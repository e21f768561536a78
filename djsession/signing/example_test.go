package signing_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/djedge/djedge/djsession/signing"
)

// Django's loads(signed, salt="newsletter"), with the key alone.
func ExampleLoads() {
	key := signing.Derive(signing.SHA256, "newsletter"+"signer", "the SECRET_KEY")
	at := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

	signed := signing.Dumps(`{"email":"zo\u00eb@example.com"}`, key, true, at)
	text, err := signing.Loads(signed, at.Add(time.Hour), 24*time.Hour, 4096, signing.Ring{Current: key})
	fmt.Println(text, err)

	_, err = signing.Loads(signed, at.Add(48*time.Hour), 24*time.Hour, 4096, signing.Ring{Current: key})
	fmt.Println(errors.Is(err, signing.ErrExpired))
	// Output:
	// {"email":"zo\u00eb@example.com"} <nil>
	// true
}

// SECRET_KEY stays with Django: a key derived from it is enough to verify.
func ExampleDeriveKeys() {
	keys := signing.DeriveKeys("", "the new SECRET_KEY", []string{"the one before"})
	fmt.Println(keys.Session.Current)

	again, err := signing.ParseKey(keys.Session.Current.Export())
	fmt.Println(again.Export() == keys.Session.Current.Export(), err)
	// Output:
	// [key]
	// true <nil>
}
