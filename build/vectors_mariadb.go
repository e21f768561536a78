package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// The section mariadb. Where a server is at hand (judge.mariadb) it is asked.
// Else SQLite stands in for it, and finds for what was asked the rows that the
// vector says MariaDB found.

// collatedSite speaks MySQL's dialect at the time of the vector. There are many
// vectors and few kinds of sites, so that they are kept.
type collatedSite struct {
	*site
	kind    string
	now     time.Time
	asked   string   // the text that the collation may take for another
	matched []string // the texts that it takes it for; nil: the server is a real one
	real    bool
}

func (s *collatedSite) Now() time.Time { return s.now }

func (s *collatedSite) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	if s.real {
		return s.site.Query(ctx, atomic, statements...)
	}
	statements = slices.Clone(statements)
	for i, statement := range statements {
		at := slices.IndexFunc(statement.Args, func(v query.Value) bool { return s.asked != "" && v.Kind() == query.KindText && v.Text() == s.asked })
		switch {
		case at < 0 || len(s.matched) == 0:
		case strings.HasPrefix(statement.SQL, "INSERT"):
			return nil, query.ErrDuplicate
		default:
			statements[i].Args = slices.Clone(statement.Args)
			statements[i].Args[at] = query.Text(s.matched[0])
		}
	}
	return s.site.Query(ctx, atomic, statements...)
}

var databases atomic.Int64

// collatedSite has the vector's rows. It is to be kept when it was judged.
func (j *judge) collatedSite(v *vector) (*collatedSite, error) {
	seconds, err := strconv.ParseFloat(string(v.fields["now"]), 64)
	if err != nil {
		return nil, err
	}
	var matched []string
	if err := json.Unmarshal(v.fields["matched"], &matched); v.has("matched") && err != nil {
		return nil, err
	}
	kind := strings.Join([]string{v.version(), v.text("secret"), v.text("collation"), string(v.fields["use_tz"]), v.text("time_zone"), string(v.fields["cookie_age"])}, "|")
	j.mu.Lock()
	var s *collatedSite
	if kept := j.collated[kind]; len(kept) > 0 {
		s, j.collated[kind] = kept[len(kept)-1], kept[:len(kept)-1]
	}
	j.mu.Unlock()
	if s == nil {
		if s, err = j.newCollatedSite(v); err != nil {
			return nil, err
		}
		s.kind = kind
	}
	whole, fraction := math.Modf(seconds)
	s.now = time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC()
	s.asked, s.matched = "", matched
	if err := s.fill(v); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (j *judge) keep(s *collatedSite) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.collated[s.kind] = append(j.collated[s.kind], s)
}

func (j *judge) newCollatedSite(v *vector) (_ *collatedSite, err error) {
	s := &collatedSite{real: j.mariadb != ""}
	if s.site, err = j.newSite(v, nil); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.real {
		_ = s.db.Close()
		s.db, err = j.newDatabase(v.text("collation"))
	} else {
		err = s.exec("PRAGMA synchronous = OFF") // nothing here has to outlive the machine
	}
	if err != nil {
		return nil, err
	}
	config := s.hostInZone(v)
	config.WritesOnReads, config.PasswordHashers, config.Loopback = true, []string{"md5"}, true
	_, e, err := j.host(config)
	if err != nil {
		return nil, err
	}
	s.engine = e.Engine
	if !s.real { // the rules shall speak to SQLite as to MySQL, which it understands
		settings := slices.Clone(e.settings)
		for i := range settings {
			if settings[i].Name == "dialect" {
				settings[i].Value = query.MySQL.String()
			}
		}
		s.engine, err = j.engine(settings)
	}
	return s, err
}

// fill makes the rows those of the vector.
func (s *collatedSite) fill(v *vector) error {
	if err := errors.Join(s.exec("DELETE FROM django_session"), s.exec("DELETE FROM auth_user")); err != nil {
		return err
	}
	var sessions []struct {
		Key  string `json:"session_key"`
		Data string `json:"session_data"`
		Date string `json:"expire_date"`
	}
	var users []struct {
		userRow
		Name string `json:"username"`
	}
	if err := errors.Join(json.Unmarshal(v.fields["sessions"], &sessions), json.Unmarshal(v.fields["users"], &users)); err != nil {
		return err
	}
	for _, row := range sessions {
		if err := s.exec("INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
			query.Text(row.Key), query.Text(row.Data), query.Text(strings.TrimSuffix(row.Date, ".000000"))); err != nil {
			return err
		}
	}
	for _, u := range users {
		if err := s.exec(`INSERT INTO auth_user (id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
			VALUES (?, ?, NULL, 0, ?, '', '', '', 0, ?, '2026-01-01 00:00:00')`,
			query.Int(u.ID), query.Text(u.Password), query.Text(u.Name), query.MySQL.Bool(u.IsActive)); err != nil {
			return err
		}
	}
	return nil
}

// newDatabase makes a database of this collation on the server.
func (j *judge) newDatabase(collation string) (*sqldb.DB, error) {
	ctx := context.Background()
	name := "vectors_" + strconv.FormatInt(databases.Add(1), 10)
	open := func(database string) (*sqldb.DB, error) {
		return sqldb.OpenMySQL(ctx, "mysql://root@/"+database+"?pool_max_conns=2&unix_socket="+url.QueryEscape(j.mariadb))
	}
	admin, err := open("mysql")
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	create := query.Statement{Name: "create", SQL: "CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE " + collation, AdHoc: true}
	if _, err := admin.Query(ctx, false, create); err != nil {
		return nil, err
	}
	db, err := open(name)
	if err != nil {
		return nil, err
	}
	return db, sqldb.CreateDjangoSchema(ctx, db)
}

func judgeMariaDB(j *judge, v *vector) error {
	s, err := j.collatedSite(v)
	if err != nil {
		return err
	}
	defer j.keep(s)
	switch op := v.text("op"); op {
	case "get_user":
		return s.judgeFound(v)
	case "delete":
		return s.judgeDeleted(v)
	case "authenticate":
		return s.judgeAuthenticated(v)
	case "register":
		return s.judgeRegistered(v)
	case "store":
		return s.judgeStored(v)
	case "login":
		return s.judgeLastLogin(v)
	default:
		return fmt.Errorf("nothing is known of the operation %q", op)
	}
}

func (s *collatedSite) judgeFound(v *vector) error {
	s.asked = v.text("session_key")
	answer, err := evaluate(s.engine, s, "get_user", map[string]string{"session_key": string(v.fields["session_key"])})
	if err != nil {
		return err
	}
	found, user := member(answer, "session_key") != `""`, member(answer, "user_id")
	wantFound, wantUser := member(string(v.fields["expected"]), "found"), member(string(v.fields["expected"]), "user_id")
	if v.has("may_refuse") { // Django takes another text for what was asked; here it is nobody's
		wantFound, wantUser = "false", "null"
	}
	return errors.Join(named("found", sameJSON(strconv.FormatBool(found), wantFound)), named("user_id", sameJSON(user, wantUser)))
}

func (s *collatedSite) judgeDeleted(v *vector) error {
	s.asked = v.text("session_key")
	result := s.engine.Do(context.Background(), &abi.Op{Kind: abi.OpSessionFlush, Session: djsession.State{Key: s.asked, Resolved: true}}, s)
	if d := result.Decision; d.Outcome != gate.Allow {
		return fmt.Errorf("%s: %s", d.Reason, d.Detail)
	}
	rows, err := s.rows("SELECT session_key FROM django_session ORDER BY session_key")
	if err != nil {
		return err
	}
	left := []string{}
	for _, row := range rows {
		left = append(left, row[0].Text())
	}
	if v.has("may_refuse") { // what the statement deletes is the collation's to say, unless nothing was asked of it
		var all []struct {
			Key string `json:"session_key"`
		}
		if err := json.Unmarshal(v.fields["sessions"], &all); err == nil && len(left) == len(all) {
			return nil
		}
	}
	text, _ := json.Marshal(left)
	return sameJSON(string(text), member(string(v.fields["expected"]), "left"))
}

func (s *collatedSite) judgeAuthenticated(v *vector) error {
	s.asked = v.text("username")
	answer, err := evaluate(s.engine, s, "authenticate", map[string]string{"username": string(v.fields["username"]), "password": string(v.fields["password"])})
	if err != nil {
		return err
	}
	want := member(string(v.fields["expected"]), "user_id")
	if v.has("may_refuse") {
		want = "null"
	}
	return sameJSON(member(answer, "user_id"), want)
}

func (s *collatedSite) judgeRegistered(v *vector) error {
	s.asked = v.text("normalized")
	request := gate.Request{Method: "POST", URI: "/register", Host: "127.0.0.1", Scheme: "http", Headers: []gate.Header{
		{Name: "Origin", Value: "http://127.0.0.1"}, {Name: "Content-Type", Value: "application/json"}}}
	result := s.engine.Do(context.Background(), &abi.Op{Kind: abi.OpRegister, Request: request, Username: v.text("username"), Password: "a long enough password"}, s)
	d := &result.Decision
	taken := member(string(v.fields["expected"]), "taken") == "true"
	switch {
	case d.Outcome == gate.Allow && !taken, d.Reason == gate.ReasonUsernameTaken && taken:
		return nil
	case d.Reason == gate.ReasonUsernameInvalid:
		return errSkip("create_user stores any name, and we only those that Django's forms take")
	}
	return fmt.Errorf("%s %s; taken: %v", d.Reason, d.Detail, taken)
}

func (s *collatedSite) judgeStored(v *vector) error {
	want := string(v.fields["expected"])
	var alive map[string]bool
	if err := json.Unmarshal([]byte(member(want, "alive_after")), &alive); err != nil || len(alive) == 0 {
		return fmt.Errorf("alive_after cannot be read: %w", err)
	}
	state := djsession.State{Resolved: true, Loaded: true, Accessed: true, Modified: true, Items: []djsession.Item{{Key: "a", Raw: "1"}}}
	do := func(kind abi.OpKind, key string) *abi.Result {
		op := &abi.Op{Kind: kind, Session: state, Status: 200}
		if kind == abi.OpSessionLoad {
			op.Request.Headers = []gate.Header{{Name: "Cookie", Value: "sessionid=" + key}}
		}
		return s.engine.Do(context.Background(), op, s)
	}
	for range 2 { // the second writes what is there already
		saved := do(abi.OpSessionSave, "")
		if d := saved.Decision; d.Outcome != gate.Allow {
			return fmt.Errorf("saving: %s: %s", d.Reason, d.Detail)
		}
		state.Key = saved.SessionKey
	}
	date, err := s.date("SELECT CAST(expire_date AS CHAR) FROM django_session")
	wrong := []error{err, named("expire_date", sameJSON(quote(date), member(want, "expire_date")))}
	now := s.now
	for after, found := range alive {
		delta, err := strconv.Atoi(after)
		if err != nil {
			return err
		}
		s.now = now.Add(time.Duration(delta) * time.Second)
		loaded := do(abi.OpSessionLoad, state.Key)
		if got := len(loaded.Session) == 1; got != found {
			wrong = append(wrong, fmt.Errorf("after %s seconds: got %v, want %v", after, got, found))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		age, _ := strconv.ParseInt(string(v.fields["cookie_age"]), 10, 64)
		zone, zoneErr := time.LoadLocation(v.text("time_zone"))
		if string(v.fields["use_tz"]) == "false" && zoneErr == nil && offset(now.Unix(), zone) != offset(now.Unix()+age, zone) {
			return errSkip("Django adds to what the clock shows, though it is changed meanwhile; we take a moment")
		}
		return err
	}
	return nil
}

func (s *collatedSite) judgeLastLogin(v *vector) error {
	if _, err := evaluate(s.engine, s, "login", map[string]string{"user_id": quote(string(v.fields["user_id"]))}); err != nil {
		return err
	}
	date, err := s.date("SELECT CAST(last_login AS CHAR) FROM auth_user")
	return errors.Join(err, sameJSON(quote(date), member(string(v.fields["expected"]), "last_login")))
}

// date is a date as a datetime(6) of MariaDB shows it.
func (s *collatedSite) date(sql string) (string, error) {
	rows, err := s.rows(sql)
	if err != nil {
		return "", err
	}
	if len(rows) != 1 {
		return "", fmt.Errorf("%d rows were stored", len(rows))
	}
	text := rows[0][0].Text()
	if !strings.Contains(text, ".") {
		text += ".000000"
	}
	return text, nil
}
