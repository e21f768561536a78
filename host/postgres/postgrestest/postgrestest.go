// Package postgrestest gives tests a PostgreSQL database with Django's tables.
package postgrestest

import (
	"context"
	"crypto/rand"
	_ "embed"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed django.sql
var schema string

// Env is the variable that holds the URL of a server, as a user who may create
// databases.
const Env = "DJEDGE_TEST_POSTGRES"

// URL is a new database of the server that [Env] names, dropped when the test
// ends. It has the tables of Django 5.2's auth and sessions. Without a server
// the test is skipped; where CI is "true" it fails instead.
func URL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Env)
	if server == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal(Env + " is not set, and CI does without no test")
		}
		t.Skip(Env + " is not set: no PostgreSQL to test with")
	}
	name := "djedge_test_" + strings.ToLower(rand.Text()[:12])
	exec(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(Env + " is not a URL")
	}
	u.Path = "/" + name
	exec(t, u.String(), schema)
	return u.String()
}

func exec(t testing.TB, server, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}
