package sqldb_test

import (
	"context"
	"log"
	"time"

	"github.com/djedge/djedge/host/sqldb"
)

func ExampleOpenMySQL() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	db, err := sqldb.OpenMySQL(ctx, "mysql://site:password@db.example.com/site?tls=true")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	log.Println(db.Dialect())
}
