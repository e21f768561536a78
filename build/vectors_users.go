package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// The sections with a database: a SQLite file with Django's own schema is
// filled as the vector says, the engine runs the rule, the file is looked at.

type userRow struct {
	ID       int64  `json:"id"`
	Password string `json:"password"`
	IsActive bool   `json:"is_active"`
	name     string
}

// site is one small Django database and the engine configured for it.
type site struct {
	pureEffects
	db     *sqldb.DB
	dir    string
	engine host.Engine
	store  *djsession.Store
}

func (s *site) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	return s.db.Query(ctx, atomic, statements...)
}

func (s *site) close() {
	_ = s.db.Close()
	_ = os.RemoveAll(s.dir)
}

func (j *judge) newSite(v *vector, users []userRow) (_ *site, err error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "djedge-vector-")
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	var fallbacks, backends []string
	_ = json.Unmarshal(v.fields["fallbacks"], &fallbacks)
	_ = json.Unmarshal(v.fields["backends"], &backends)
	keys := signing.DeriveKeys("", v.text("secret"), fallbacks)
	release, err := version.Parse(v.version())
	if err != nil {
		return nil, err
	}
	settings := []abi.Setting{{Name: "version", Value: v.version()}, {Name: "dialect", Value: "sqlite"}, {Name: "writes_on_reads", Value: "true"}}
	for _, b := range backends {
		settings = append(settings, abi.Setting{Name: "authentication_backends", Value: b})
	}
	for _, name := range v.run.AvailableHashers {
		settings = append(settings, abi.Setting{Name: "password_hashers", Value: name})
	}
	settings = append(settings, host.KeySettings(keys)...)
	if s.engine, err = j.engine(settings); err != nil {
		return nil, err
	}
	if s.store, err = djsession.New(djsession.Settings{Version: release, Dialect: query.SQLite, Keys: keys}); err != nil {
		return nil, err
	}
	if s.db, err = sqldb.CreateSQLite(ctx, filepath.Join(dir, "db.sqlite3")); err != nil {
		return nil, err
	}
	if err = sqldb.CreateDjangoSchema(ctx, s.db); err != nil {
		return nil, err
	}
	for _, u := range users {
		if u.name == "" {
			u.name = "user" + strconv.FormatInt(u.ID, 10)
		}
		if err = s.exec(`INSERT INTO auth_user (id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
			VALUES (?, ?, NULL, 0, ?, '', '', '', 0, ?, '2026-01-01 00:00:00')`,
			query.Int(u.ID), query.Text(u.Password), query.Text(u.name), query.SQLite.Bool(u.IsActive)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *site) exec(sql string, args ...query.Value) error {
	_, err := s.db.Query(context.Background(), false, query.Statement{Name: "setup", SQL: sql, Args: args, AdHoc: true})
	return err
}

func (s *site) rows(sql string, args ...query.Value) ([][]query.Value, error) {
	results, err := s.db.Query(context.Background(), false, query.Statement{Name: "look", SQL: sql, Args: args, AdHoc: true})
	if err != nil {
		return nil, err
	}
	return results[0].Rows, nil
}

const vectorSessionKey = "vectorvectorvectorvectorvector01"

// putSession writes a session as Django would have; raw is a JSON object.
func (s *site) putSession(raw string) error {
	members, err := pyjson.Object(raw, 200)
	if err != nil {
		return err
	}
	var items []djsession.Item
	for _, m := range members {
		items = append(items, djsession.Item{Key: m.Key, Raw: m.Raw})
	}
	now := time.Now().UTC()
	data, err := s.store.Encode(items, now)
	if err != nil {
		return err
	}
	return s.exec("INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
		query.Text(vectorSessionKey), query.Text(data), query.SQLite.Time(now.Add(time.Hour)))
}

// session reads the stored session back, and whether there is one.
func (s *site) session(key string) (raw string, exists bool, err error) {
	rows, err := s.rows("SELECT session_data FROM django_session WHERE session_key = ?", query.Text(key))
	if err != nil || len(rows) == 0 {
		return "{}", false, err
	}
	items, err := s.store.Decode(rows[0][0].Text())
	if err != nil {
		return "", true, err
	}
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = pyjson.Quote(item.Key) + ":" + item.Raw
	}
	return "{" + strings.Join(parts, ",") + "}", true, nil
}

// sameSession compares what is stored now with session_after and the flags.
func (s *site) sameSession(v *vector, newKey string, had bool) error {
	want := string(v.fields["expected"])
	after, _, err := s.session(newKey)
	if err != nil {
		return err
	}
	_, oldExists, err := s.session(vectorSessionKey)
	if err != nil {
		return err
	}
	return errors.Join(
		named("session_after", sameJSON(after, member(want, "session_after"))),
		named("key_changed", sameJSON(strconv.FormatBool(had && newKey != vectorSessionKey), member(want, "key_changed"))),
		named("old_row_exists", sameJSON(strconv.FormatBool(oldExists), member(want, "old_row_exists"))),
	)
}

func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func judgeGetUser(j *judge, v *vector) error {
	var users []userRow
	if err := json.Unmarshal(v.fields["users"], &users); err != nil {
		return err
	}
	s, err := j.newSite(v, users)
	if err != nil {
		return err
	}
	defer s.close()
	return s.judgeGetUser(v, func(answer string) string { return answer })
}

// judgeGetUser judges what get_user answers. spelled writes the answer's key as
// the vector does.
func (s *site) judgeGetUser(v *vector, spelled func(answer string) string) error {
	if err := s.putSession(string(v.fields["session"])); err != nil {
		return err
	}
	answer, err := evaluate(s.engine, s, "get_user", map[string]string{"session_key": quote(vectorSessionKey)})
	if err != nil {
		return err
	}
	wantUser := member(string(v.fields["expected"]), "user_id")
	if v.expectsError() { // Django raises: nobody is logged in, nothing is written
		wantUser = "null"
	}
	var key string
	_ = json.Unmarshal([]byte(member(answer, "session_key")), &key)
	return errors.Join(named("user_id", sameJSON(member(spelled(answer), "user_id"), wantUser)), s.sameSession(v, key, true))
}

func judgeLogin(j *judge, v *vector) error {
	id, err := strconv.ParseInt(string(v.fields["user_id"]), 10, 64)
	if err != nil {
		return err
	}
	s, err := j.newSite(v, []userRow{{ID: id, Password: v.text("user_password"), IsActive: true}})
	if err != nil {
		return err
	}
	defer s.close()
	args := map[string]string{"user_id": quote(strconv.FormatInt(id, 10))}
	before := string(v.fields["session_before"])
	if before != "null" {
		if err := s.putSession(before); err != nil {
			return err
		}
		args["session_key"] = quote(vectorSessionKey)
	}
	answer, err := evaluate(s.engine, s, "login", args)
	if err != nil {
		return err
	}
	rows, err := s.rows("SELECT last_login FROM auth_user WHERE id = ?", query.Int(id))
	if err != nil {
		return err
	}
	want := string(v.fields["expected"])
	var key string
	_ = json.Unmarshal([]byte(member(answer, "session_key")), &key)
	return errors.Join(
		s.sameSession(v, key, before != "null"),
		named("csrf_rotated", sameJSON(member(answer, "csrf_rotated"), member(want, "csrf_rotated"))),
		named("last_login_changed", sameJSON(strconv.FormatBool(!rows[0][0].IsNull()), member(want, "last_login_changed"))),
	)
}

// judgeAuthenticate: the vectors' users all have the password "pw".
func judgeAuthenticate(j *judge, v *vector) error {
	var names []string
	if err := json.Unmarshal(v.fields["users"], &names); err != nil {
		return err
	}
	hashers, err := password.New(password.Config{Hashers: []string{"md5"}})
	if err != nil {
		return err
	}
	encoded, err := hashers.Make(context.Background(), pureEffects{}, pureEffects{}.Random, "pw", "")
	if err != nil {
		return err
	}
	var users []userRow
	for i, name := range names {
		name, inactive := strings.CutSuffix(name, "(is_active=0)")
		users = append(users, userRow{ID: int64(i + 1), Password: encoded, IsActive: !inactive, name: name})
	}
	s, err := j.newSite(v, users)
	if err != nil {
		return err
	}
	defer s.close()
	answer, err := evaluate(s.engine, s, "authenticate", map[string]string{
		"username": string(v.fields["username"]), "password": string(v.fields["password"])})
	return expectAnswer(answer, err, v)
}
