package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/password"
)

const (
	probeSecret = "the key of a probe"
	probeOld    = "the key before it"
	// probeHash is the stored password of the probe's user, which no check here reads.
	probeHash = "pbkdf2_sha256$1000$saltsaltsalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

var probeNow = time.Date(2026, 11, 23, 3, 11, 2, 0, time.UTC)

// probe is the rules of one version, asked for what they do.
type probe struct {
	version   version.Version
	keys, old signing.Keys // old: of the key before, which is a fallback in keys
	defaults  password.Defaults
	table     *djsession.Store
	cookies   *djsession.Store
	users     *djuser.Users
}

func newProbe(v version.Version) (*probe, error) {
	p := &probe{version: v, defaults: password.DefaultsOf(v)}
	p.keys = signing.DeriveKeys("", probeSecret, []string{probeOld})
	p.old = signing.DeriveKeys("", probeOld, nil)
	var err error
	if p.table, err = p.store(djsession.EngineDB); err != nil {
		return nil, err
	}
	if p.cookies, err = p.store(djsession.EngineSignedCookies); err != nil {
		return nil, err
	}
	p.users, err = p.newUsers(false)
	return p, err
}

func (p *probe) store(engine djsession.Engine) (*djsession.Store, error) {
	return djsession.New(djsession.Settings{Version: p.version, Dialect: query.SQLite, Keys: p.keys, Engine: engine})
}

func (p *probe) newUsers(masked bool) (*djuser.Users, error) {
	return djuser.New(djuser.Settings{Version: p.version, Dialect: query.SQLite, Keys: p.keys, CSRFCookieMasked: masked}, p.table)
}

// probeEffects are a host with a clock that stands still, a database where
// everything is found once, and no cache.
type probeEffects struct {
	user []query.Value // the row of user_by_id
}

var errProbeCache = errors.New("there is no cache")

func (probeEffects) Now() time.Time { return probeNow }

// Random counts: what is made of it is never used, only looked at.
func (probeEffects) Random(_ context.Context, n int) ([]byte, error) {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b, nil
}

func (fx probeEffects) Query(_ context.Context, _ bool, statements ...query.Statement) ([]query.Result, error) {
	results := make([]query.Result, len(statements))
	for i := range results {
		results[i].Affected = 1
		if fx.user != nil {
			results[i].Rows = [][]query.Value{fx.user}
		}
	}
	return results, nil
}

func (probeEffects) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, errProbeCache
}

func (probeEffects) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (probeEffects) Yield(context.Context) error { return nil }

// form is one way to write a session.
type form struct {
	name string
	make func(k signing.Keys) string
	read func(data string, k signing.Keys) error
}

const probeJSON = `{"a":1}`

func signedForm(name string, ring func(signing.Keys) signing.Ring) form {
	return form{name,
		func(k signing.Keys) string { return signing.Dumps(probeJSON, ring(k).Current, true, probeNow) },
		func(data string, k signing.Keys) error {
			_, err := signing.Loads(data, probeNow, -1, 1<<20, ring(k))
			return err
		}}
}

var sessionForms = []form{
	signedForm("signed, SHA-256", func(k signing.Keys) signing.Ring { return k.Session }),
	signedForm("signed, SHA-1", func(k signing.Keys) signing.Ring { return k.SessionSHA1 }),
	{"plain, SHA-1",
		func(k signing.Keys) string { return signing.DumpsLegacy(probeJSON, k.SessionLegacy.Current) },
		func(data string, k signing.Keys) error {
			_, err := signing.LoadsLegacy(data, 1<<20, k.SessionLegacy)
			return err
		}},
}

var cookieForms = []form{
	signedForm("signed, SHA-256", func(k signing.Keys) signing.Ring { return k.Cookie }),
	signedForm("signed, SHA-1", func(k signing.Keys) signing.Ring { return k.CookieSHA1 }),
}

// formOf names the form that data is written in.
func (p *probe) formOf(data string, forms []form) (string, error) {
	for _, f := range forms {
		if f.read(data, p.keys) == nil {
			return f.name, nil
		}
	}
	return "", errors.New("it is written in no known form")
}

// formsRead names the forms that can be read, of what these keys signed.
func formsRead(keys signing.Keys, forms []form, read func(data string) bool) []string {
	var names []string
	for _, f := range forms {
		if read(f.make(keys)) {
			names = append(names, f.name)
		}
	}
	return names
}

func (p *probe) sessionWritten() (string, error) {
	data, err := p.table.Encode([]djsession.Item{{Key: "a", Raw: "1"}}, probeNow)
	if err != nil {
		return "", err
	}
	return p.formOf(data, sessionForms)
}

func (p *probe) decodes(data string) bool {
	items, err := p.table.Decode(data)
	return err == nil && len(items) == 1
}

func (p *probe) sessionRead() (string, error) {
	return strings.Join(formsRead(p.keys, sessionForms, p.decodes), "; "), nil
}

func (p *probe) sessionFallbacks() (string, error) {
	return yes(len(formsRead(p.old, sessionForms, p.decodes)) > 0), nil
}

func (p *probe) cookieWritten() (string, error) {
	sess := djsession.NewSession("", djsession.Item{Key: "a", Raw: "1"})
	if err := p.cookies.Create(context.Background(), probeEffects{}, sess); err != nil {
		return "", err
	}
	return p.formOf(sess.Key(), cookieForms)
}

func (p *probe) cookieRead() (string, error) {
	return strings.Join(formsRead(p.keys, cookieForms, func(data string) bool {
		sess, err := p.cookies.Load(context.Background(), probeEffects{}, data)
		return err == nil && sess.Len() == 1
	}), "; "), nil
}

// statusesNotSaved are runs such as 500–599.
func (p *probe) statusesNotSaved() (string, error) {
	var runs []string
	for status, first := 100, 0; status <= 600; status++ {
		sess := djsession.NewSession("abcdefgh")
		sess.Set("a", "1")
		saved := status == 600 || p.table.AtResponse(sess, true, status).Save
		switch {
		case !saved && first == 0:
			first = status
		case saved && first == status-1:
			runs, first = append(runs, fmt.Sprint(first)), 0
		case saved && first != 0:
			runs, first = append(runs, fmt.Sprintf("%d–%d", first, status-1)), 0
		}
	}
	return strings.Join(runs, ", "), nil
}

func (p *probe) cacheDown() (string, error) {
	store, err := p.store(djsession.EngineCachedDB)
	if err != nil {
		return "", err
	}
	sess := djsession.NewSession("abcdefghabcdefghabcdefghabcdefgh", djsession.Item{Key: "a", Raw: "1"})
	sess.Set("a", "2")
	switch err := store.Save(context.Background(), probeEffects{}, sess); {
	case err == nil:
		return "is saved", nil
	case errors.Is(err, djsession.ErrStorage) || errors.Is(err, errProbeCache):
		return "is an error", nil
	default:
		return "", err
	}
}
