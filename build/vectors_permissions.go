package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// grantee is what Django says of one user of a vector's database.
type grantee map[string]json.RawMessage

// judgePermissions: a vector is the dump of a SQLite database with users,
// groups and grants, and what Django answers about each of the users.
func judgePermissions(j *judge, v *vector) error {
	s, err := j.newDump(v, v.text("sqlite_sql"))
	if err != nil {
		return err
	}
	defer s.close()
	var users []grantee
	if err := json.Unmarshal(v.fields["expected"], &users); err != nil {
		return err
	}
	if len(users) == 0 {
		return errors.New("the vector has no users")
	}
	var wrong []error
	for _, want := range users {
		if err := s.judgeGrantee(want); err != nil {
			wrong = append(wrong, fmt.Errorf("user %s: %w", want["id"], err))
		}
	}
	return errors.Join(append(wrong, s.judgeAnonymous(v))...)
}

// judgeGrantee asks what was asked of Django: has_perms was asked about the
// first two permissions of has_perm.
func (s *site) judgeGrantee(want grantee) error {
	permissions, err := names(want["has_perm"])
	if err != nil {
		return err
	}
	apps, err := names(want["has_module_perms"])
	if err != nil {
		return err
	}
	answer, err := evaluate(s.engine, s, "permissions", map[string]string{
		"user_id": quote(string(want["id"])), "permissions": quoteList(permissions), "together": quoteList(permissions[:2]), "apps": quoteList(apps),
	})
	if err != nil {
		return err
	}
	var wrong []error
	for _, name := range []string{"user_permissions", "group_permissions", "all_permissions", "has_perm", "has_perm_with_obj", "has_perms_none", "has_module_perms"} {
		wrong = append(wrong, named(name, sameJSON(member(answer, name), string(want[name]))))
	}
	wrong = append(wrong, named("has_perms_first2", sameJSON(member(answer, "has_perms"), string(want["has_perms_first2"]))))
	return errors.Join(wrong...)
}

func (s *site) judgeAnonymous(v *vector) error {
	answer, err := evaluate(s.engine, s, "permissions", map[string]string{"user_id": "null", "permissions": `["blog.add_item"]`})
	if err != nil {
		return fmt.Errorf("anonymous: %w", err)
	}
	want := string(v.fields["anonymous"])
	return errors.Join(
		named("anonymous all_permissions", sameJSON(member(answer, "all_permissions"), member(want, "all_permissions"))),
		named("anonymous has_perm", sameJSON(member(member(answer, "has_perm"), "blog.add_item"), member(want, "has_perm"))),
	)
}

// newDump is a site over the database of a dump.
func (j *judge) newDump(v *vector, dump string) (_ *site, err error) {
	keys := signing.DeriveKeys("", "permissions are not signed", nil)
	settings := []abi.Setting{{Name: "version", Value: v.version()}, {Name: "dialect", Value: "sqlite"}}
	s := &site{}
	if s.engine, err = j.engine(append(settings, host.KeySettings(keys)...)); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "djedge-vector-"); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, "db.sqlite3")
	if s.db, err = sqldb.CreateSQLite(context.Background(), path); err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	if err = loadDump(path, dump); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// loadDump runs a script, of which sqldb runs only one statement.
func loadDump(path, dump string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	// A dump fills tables before those that they refer to.
	_, err = db.Exec("PRAGMA foreign_keys = OFF;" + dump)
	return errors.Join(err, db.Close())
}

// names are the keys of a JSON object, in order.
func names(object json.RawMessage) ([]string, error) {
	members, err := pyjson.Object(string(object), 10)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, m := range members {
		keys = append(keys, m.Key)
	}
	return keys, nil
}

func quoteList(texts []string) string {
	list := "["
	for i, text := range texts {
		if i > 0 {
			list += ","
		}
		list += pyjson.Quote(text)
	}
	return list + "]"
}
