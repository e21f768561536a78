package main

import (
	"os"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Run(m)) }

// TestOpenMySQL: the URL chooses the driver, under either name.
func TestOpenMySQL(t *testing.T) {
	u := testservers.MySQL(t)
	for _, scheme := range []string{"mysql", "mariadb"} {
		u.Scheme = scheme
		db, err := openDatabase(t.Context(), u.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(t.Context()); err != nil || db.Dialect() != query.MySQL {
			t.Errorf("%s: %v, %v", scheme, db.Dialect(), err)
		}
		db.Close()
	}
}
