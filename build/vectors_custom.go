package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// The section custom_user: other user models than Django's own. A host looks
// at the vector's table, as it would at a site's, and tells the rules what
// there is; then the sections of Django's own users are judged again.

// userModel is what a site says of its model.
type userModel struct {
	Table         string `json:"table"`
	PK            string `json:"pk"`
	UsernameField string `json:"username_field"`
	EmailField    string `json:"email_field"`
	HasLastLogin  bool   `json:"has_last_login"`
}

// sharedEngine is a host's engine that the judge keeps for other hosts of the
// same settings.
type sharedEngine struct {
	host.Engine
	judge    *judge
	settings []abi.Setting
}

func (e *sharedEngine) Configure(_ context.Context, settings []abi.Setting) (_ []query.Statement, err error) {
	e.settings = settings
	e.Engine, err = e.judge.engine(settings)
	return nil, err
}

func (e *sharedEngine) Close(context.Context) error { return nil }

// host makes a host, which looks at the database and configures the engine.
func (j *judge) host(config host.Config) (*host.Host, *sharedEngine, error) {
	e := &sharedEngine{judge: j}
	config.Engine = e
	h, err := host.New(context.Background(), config)
	return h, e, err
}

func (j *judge) newCustomSite(v *vector, model userModel) (_ *site, err error) {
	s, err := j.newDump(v, v.text("sqlite_sql"))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err = s.exec(`CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, session_data text NOT NULL, expire_date datetime NOT NULL)`); err != nil {
		return nil, err
	}
	release, err := version.Parse(v.version())
	if err != nil {
		return nil, err
	}
	keys := signing.DeriveKeys("", v.text("secret"), nil)
	if s.store, err = djsession.New(djsession.Settings{Version: release, Dialect: query.SQLite, Keys: keys}); err != nil {
		return nil, err
	}
	_, e, err := j.host(host.Config{
		DB: s.db, SecretKey: v.text("secret"), DjangoVersion: v.version(), WritesOnReads: true, PasswordHashers: []string{"md5"},
		UserTable: model.Table, UserPK: model.PK, UsernameField: model.UsernameField, EmailField: model.EmailField,
	})
	if err != nil {
		return nil, err
	}
	s.engine = e.Engine
	return s, nil
}

func judgeCustomUser(j *judge, v *vector) error {
	var model userModel
	if err := json.Unmarshal(v.fields["user_model"], &model); err != nil {
		return err
	}
	s, err := j.newCustomSite(v, model)
	if err != nil {
		return err
	}
	defer s.close()
	switch op := v.text("op"); op {
	case "get_user":
		return s.judgeGetUser(v, textKey)
	case "login":
		return s.judgeCustomLogin(v, model)
	case "authenticate":
		answer, err := evaluate(s.engine, s, "authenticate", map[string]string{
			"username": string(v.fields["username"]), "password": string(v.fields["password"])})
		return expectAnswer(textKey(answer), err, v)
	case "permissions":
		return s.judgeCustomPermissions(v)
	default:
		return fmt.Errorf("nothing is known of the operation %q", op)
	}
}

func (s *site) judgeCustomLogin(v *vector, model userModel) error {
	args := map[string]string{"user_id": string(v.fields["user_id"])}
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
	want := string(v.fields["expected"])
	var key string
	_ = json.Unmarshal([]byte(member(answer, "session_key")), &key)
	wrong := errors.Join(
		s.sameSession(v, key, before != "null"),
		named("csrf_rotated", sameJSON(member(answer, "csrf_rotated"), member(want, "csrf_rotated"))),
	)
	if !model.HasLastLogin {
		return wrong
	}
	// Nobody in the table ever logged in before.
	rows, err := s.rows(`SELECT 1 FROM "` + model.Table + `" WHERE last_login IS NOT NULL`)
	if err != nil {
		return err
	}
	return errors.Join(wrong, named("last_login_changed", sameJSON(strconv.FormatBool(len(rows) == 1), member(want, "last_login_changed"))))
}

func (s *site) judgeCustomPermissions(v *vector) error {
	var users []grantee
	if err := json.Unmarshal(v.fields["expected"], &users); err != nil {
		return err
	}
	if len(users) == 0 {
		return errors.New("the vector has no users")
	}
	var wrong []error
	for _, want := range users {
		var id string
		if err := json.Unmarshal(want["id"], &id); err != nil {
			return err
		}
		want["id"] = json.RawMessage(id)
		wrong = append(wrong, named("user "+id, s.judgeGrantee(want)))
	}
	return errors.Join(wrong...)
}

// textKey is an answer with a numeric user_id as the text that Django keeps.
func textKey(answer string) string {
	id := member(answer, "user_id")
	if _, err := strconv.ParseInt(id, 10, 64); err == nil {
		return `{"user_id":` + quote(id) + `}`
	}
	return answer
}
