package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

func (p *probe) authHashWritten() (string, error) {
	switch p.users.SessionAuthHash(probeHash) {
	case djuser.SessionAuthHash(p.keys.AuthHash.Current, probeHash):
		return "SHA-256", nil
	case djuser.SessionAuthHash(p.keys.AuthHashSHA1.Current, probeHash):
		return "SHA-1", nil
	}
	return "", errors.New("it is written in no known form")
}

// hasUser reports whether a session with this auth hash has a user.
func (p *probe) hasUser(key signing.Key) (bool, error) {
	row := make([]query.Value, 0, len(p.users.Columns()))
	for _, c := range p.users.Columns() {
		switch {
		case c.Name == "password":
			row = append(row, query.Text(probeHash))
		case c.Name == "last_login":
			row = append(row, query.Null())
		case c.Kind == query.KindBool:
			row = append(row, query.Bool(true))
		case c.Kind == query.KindInt:
			row = append(row, query.Int(1))
		case c.Kind == query.KindTime:
			row = append(row, query.Time(probeNow))
		default:
			row = append(row, query.Text("alice"))
		}
	}
	sess := djsession.NewSession("abcdefghabcdefghabcdefghabcdefgh")
	sess.SetText("_auth_user_id", "1")
	sess.SetText("_auth_user_backend", djuser.ModelBackend)
	sess.SetText("_auth_user_hash", djuser.SessionAuthHash(key, probeHash))
	user, _, err := p.users.GetUser(context.Background(), probeEffects{user: row}, sess)
	return user != nil, err
}

func (p *probe) authHashRead() (string, error) {
	var names []string
	for _, of := range []struct {
		name string
		key  signing.Key
	}{{"SHA-256", p.keys.AuthHash.Current}, {"SHA-1", p.keys.AuthHashSHA1.Current}} {
		switch is, err := p.hasUser(of.key); {
		case err != nil:
			return "", err
		case is:
			names = append(names, of.name)
		}
	}
	return strings.Join(names, "; "), nil
}

func (p *probe) authHashFallbacks() (string, error) {
	current, err := p.hasUser(p.old.AuthHash.Current)
	if err != nil {
		return "", err
	}
	older, err := p.hasUser(p.old.AuthHashSHA1.Current)
	return yes(current || older), err
}

// cookieForm is how a login's CSRF cookie is written.
func cookieForm(users *djuser.Users) (string, error) {
	cookie, err := users.CSRFCookie(context.Background(), probeEffects{})
	if err != nil {
		return "", err
	}
	parsed, err := http.ParseSetCookie(cookie)
	if err != nil {
		return "", err
	}
	switch len(parsed.Value) {
	case 32:
		return "plain", nil
	case 64:
		return "masked", nil
	}
	return "", fmt.Errorf("a csrf cookie of %d characters", len(parsed.Value))
}

func (p *probe) csrfCookie() (string, error) { return cookieForm(p.users) }

func (p *probe) csrfCookieMasked() (string, error) {
	users, err := p.newUsers(true)
	if err != nil {
		return "", err
	}
	return cookieForm(users)
}

func (p *probe) trustedOrigins() (string, error) {
	var names []string
	for _, of := range [][2]string{{"hosts", ".example.com"}, {"origins", "https://*.example.com"}} {
		if _, err := gate.NewCSRF(gate.CSRFSettings{Version: p.version, TrustedOrigins: []string{of[1]}}); err == nil {
			names = append(names, of[0])
		}
	}
	return strings.Join(names, "; "), nil
}

// originChecked: a form with the right token that comes from elsewhere.
func (p *probe) originChecked() (string, error) {
	csrf, err := gate.NewCSRF(gate.CSRFSettings{Version: p.version, AllowedHosts: []string{"example.com"}})
	if err != nil {
		return "", err
	}
	token := strings.Repeat("a", 32)
	check := func(origin string) error {
		return csrf.Check(gate.Request{Method: "POST", URI: "/", Host: "example.com", Scheme: "http", Headers: []gate.Header{
			{Name: "cookie", Value: "csrftoken=" + csrf.Stored(token, strings.Repeat("b", 32))}, {Name: "origin", Value: origin},
		}}, gate.CSRFRequest{Form: gate.MaskCSRF(token, strings.Repeat("c", 32))})
	}
	if err := check("http://example.com"); err != nil {
		return "", err
	}
	if check("http://elsewhere.example") != nil {
		return "checked", nil
	}
	return "ignored", nil
}

func (p *probe) languageKept() (string, error) {
	sess := djsession.NewSession("abcdefghabcdefghabcdefghabcdefgh")
	sess.SetText("_language", "de")
	err := p.users.Logout(context.Background(), probeEffects{}, sess)
	language, _ := sess.Text("_language")
	return yes(language == "de"), err
}

// resetTokens are those of the version with some of its keys.
func (p *probe) resetTokens(sha256, sha1 bool) *djuser.ResetTokens {
	t := &djuser.ResetTokens{Version: p.version}
	if sha256 {
		t.Keys = signing.Ring{Current: signing.Derive(signing.SHA256, djuser.ResetTokenSalt, probeSecret),
			Fallbacks: []signing.Key{signing.Derive(signing.SHA256, djuser.ResetTokenSalt, probeOld)}}
	}
	if sha1 {
		t.KeysSHA1 = signing.Ring{Current: signing.Derive(signing.SHA1, djuser.ResetTokenSalt, probeSecret),
			Fallbacks: []signing.Key{signing.Derive(signing.SHA1, djuser.ResetTokenSalt, probeOld)}}
	}
	return t
}

func probeResetUser(email string) djuser.ResetUser {
	return djuser.ResetUser{ID: "1", Password: probeHash, Email: email}
}

func (p *probe) resetMade() (string, error) {
	name, tokens := "SHA-256", p.resetTokens(true, false)
	first, err := tokens.Make(probeResetUser(""), probeNow)
	if err != nil {
		name, tokens = "SHA-1", p.resetTokens(false, true)
		if first, err = tokens.Make(probeResetUser(""), probeNow); err != nil {
			return "", err
		}
	}
	second, err := tokens.Make(probeResetUser(""), probeNow.Add(time.Second))
	if first == second {
		return "days, " + name, err
	}
	return "seconds, " + name, err
}

// resetRead names the releases whose tokens are taken, as an upgraded site
// still meets them.
func (p *probe) resetRead() (string, error) {
	var runs []string
	open := false
	for _, v := range version.Supported {
		made, err := (&probe{version: v}).resetTokens(true, true).Make(probeResetUser("a@example.com"), probeNow)
		if err != nil {
			return "", err
		}
		taken := p.resetTokens(true, true).Check(probeResetUser("a@example.com"), made, probeNow)
		switch {
		case taken && open:
			first, _, _ := strings.Cut(runs[len(runs)-1], "–")
			runs[len(runs)-1] = first + "–" + v.String()
		case taken:
			runs = append(runs, v.String())
		}
		open = taken
	}
	return strings.Join(runs, ", "), nil
}

func (p *probe) resetFallbacks() (string, error) {
	old := p.resetTokens(true, true)
	old.Keys.Current, old.KeysSHA1.Current = old.Keys.Fallbacks[0], old.KeysSHA1.Fallbacks[0]
	token, err := old.Make(probeResetUser(""), probeNow)
	return yes(p.resetTokens(true, true).Check(probeResetUser(""), token, probeNow)), err
}

func (p *probe) resetEmail() (string, error) {
	tokens := p.resetTokens(true, true)
	token, err := tokens.Make(probeResetUser("a@example.com"), probeNow)
	return yes(!tokens.Check(probeResetUser("b@example.com"), token, probeNow)), err
}

func (p *probe) shortSalts() (string, error) {
	hashers, err := password.New(password.Config{Version: p.version})
	if err != nil {
		return "", err
	}
	hash := func(salt int) string {
		return fmt.Sprintf("pbkdf2_sha256$%d$%s$%s=", p.defaults.PBKDF2Iterations, strings.Repeat("a", salt), strings.Repeat("A", 43))
	}
	if hashers.MustUpdate(hash(p.defaults.SaltLength)) {
		return "", errors.New("a new hash would be upgraded")
	}
	return map[bool]string{true: "upgraded", false: "left"}[hashers.MustUpdate(hash(1))], nil
}
