package postgres

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// What a check asks for is batched; what writes, locks, orders or calls never.
func TestSplit(t *testing.T) {
	for sql, want := range map[string]bool{
		checkSession: true,
		checkUser:    true,
		`SELECT "a$1", "b" FROM "s"."my table" WHERE "select" = $1 AND "FOR UPDATE" = $2`: true,
		`SELECT g."name" FROM "g" g INNER JOIN "j" j ON j."x" = g."id" WHERE j."u" = $1`:  true,
		`SELECT "a" FROM "t"`:                                   false, // no parameter
		`SELECT "a" FROM "t" WHERE "a" = $1 FOR UPDATE`:         false,
		`SELECT "a" FROM "t" WHERE "a" = $1 ORDER BY "a"`:       false,
		`SELECT "a" FROM "t" WHERE "a" = $1; DELETE FROM "t"`:   false,
		`SELECT "a" FROM "t" WHERE "a" = $1 -- "`:               false,
		`SELECT "a" FROM "t" WHERE "a" = $1 /* */`:              false,
		`SELECT "a" FROM "t" WHERE "a" = '$1'`:                  false,
		`SELECT "a" FROM "t" WHERE "a" = $q$ $1 $q$`:            false,
		`SELECT pg_sleep($1)`:                                   false,
		`SELECT "pg_sleep"($1)`:                                 false,
		`SELECT "pg_sleep" ($1)`:                                false,
		`SELECT a1($1)`:                                         false,
		`SELECT f ($1)`:                                         false,
		`SELECT "a" FROM "t" WHERE "a" = "s"."f"($1)`:           false,
		`SELECT f($1)`:                                          false,
		`SELECT * FROM "t" WHERE "a" = $1`:                      false,
		`SELECT "a" INTO "u" FROM "t" WHERE "a" = $1`:           false,
		`SELECT "a" FROM "t" WHERE "a" = $2`:                    false,
		`SELECT "a" FROM "t" WHERE "a" = $1 UNION SELECT $1`:    false,
		`select "a" FROM "t" WHERE "a" = $1`:                    false,
		`DELETE FROM "t" WHERE "a" = $1`:                        false,
		`UPDATE "t" SET "a" = $1`:                               false,
		`WITH x AS (DELETE FROM "t") SELECT "a" WHERE "a" = $1`: false,
		`SELECT "a" FROM "t" WHERE "a = $1`:                     false,
		`SELECT "a" FROM "t" WHERE "a" = $`:                     false,
		`SELECT "a" FROM "t" WHERE "a" = $0`:                    false,
		`SELECT "a" FROM "t" WHERE "a" = $99999999999999999999`: false,
		`SELECT "a" FROM "t" WHERE "a" = $1 AND "b" = e'\\x'`:   false,
		``: false,
	} {
		if _, _, ok := split(sql); ok != want {
			t.Errorf("%s: %v, want %v", sql, ok, want)
		}
	}
}

// The rules' own statements, for a site with names of its own: all that a check
// may need.
func TestSplitOfTheRules(t *testing.T) {
	key := "sha256:" + strings.Repeat("0a", 32)
	rules, err := step.Configure([]abi.Setting{
		{Name: "dialect", Value: "postgresql"}, {Name: "key_session", Value: key}, {Name: "key_auth_hash", Value: key},
		{Name: "session_table", Value: "my schema.sessions"}, {Name: "user_table", Value: "people"}, {Name: "user_pk", Value: "it$1"}, {Name: "user_m2m_column", Value: "person_id"},
		{Name: "user_column", Value: "it$1:int"}, {Name: "user_column", Value: "password:text"}, {Name: "user_column", Value: "username:text"},
		{Name: "user_column", Value: "is_active:bool"}, {Name: "user_column", Value: "is_superuser:bool"}, {Name: "user_column", Value: "email:text"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"session_load": true, "user_by_id": true, "user_by_name": true, "user_groups": true, "user_permissions": true, "group_permissions": true}
	for _, s := range rules.Statements() {
		if _, _, ok := split(s.SQL); ok != want[s.Name] {
			t.Errorf("%s: %v: %s", s.Name, ok, s.SQL)
		}
		delete(want, s.Name)
	}
	if len(want) > 0 {
		t.Errorf("no statements: %v", want)
	}
}
