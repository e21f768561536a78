package e2e

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// weakIterations are of a hash that needs an upgrade, at a site whose hashes are quick to make: see site/hashers.py.
const (
	weakIterations  = 1000
	quickIterations = 20000
	quickHash       = "pbkdf2_sha256$20000$"
	quickConfig     = "[django]\nversion = \"5.2\"\npbkdf2_iterations = 20000\n"
)

// crash is one login that a kill -9 of djedge falls into.
type crash struct {
	site    *site
	user    user
	upgrade bool
	weak    string   // the hash before the login
	before  *visitor // with the anonymous session that the login takes over
	session string   // that session's key
}

// newCrash makes a user, whose hash is to be upgraded or not, and an anonymous session.
func newCrash(s *site, upgrade bool) *crash {
	s.t.Helper()
	c := &crash{site: s, user: user{newName(), "a password"}, upgrade: upgrade}
	iterations := quickIterations
	if upgrade {
		iterations = weakIterations
	}
	s.django.control(s.t, "clear", nil, nil)
	c.weak = s.weak(c.user.Password, iterations)
	s.django.control(s.t, "create_user", arguments{"username": c.user.Username, "encoded": c.weak}, nil)
	c.before = s.visitor()
	c.before.want(200, c.before.django("POST", "/session", map[string]any{"kept": "since before"}))
	c.session = c.before.cookie(sessionCookie)
	return c
}

// login is the request that djedge dies of; it may succeed.
func (c *crash) login(e *edge) {
	_, _ = c.before.try("POST", e.url("/api/login"), c.user)
}

// check fails the test unless real Django finds the old state or the new one, and tells which.
func (c *crash) check(when string) (loggedIn bool) {
	t := c.site.t
	t.Helper()
	var verifies bool
	c.site.django.control(t, "check_password", arguments{"username": c.user.Username, "password": c.user.Password}, &verifies)
	if !verifies {
		t.Errorf("%s: the password does not verify", when)
	}
	encoded, _ := c.site.row(c.user)["password"].(string)
	if encoded != c.weak && !(c.upgrade && strings.HasPrefix(encoded, quickHash)) {
		t.Errorf("%s: the hash was changed to %.24s…", when, encoded)
	}

	var sessions []stored
	c.site.django.control(t, "sessions", nil, &sessions)
	old, fresh := 0, 0
	for _, session := range sessions {
		switch {
		case session.Key == c.session:
			old++
			if session.User != "" || !reflect.DeepEqual(session.Data, map[string]any{"kept": "since before"}) {
				t.Errorf("%s: the session from before the login was changed: %v", when, session.Data)
			}
		default:
			fresh++
			if session.User != c.user.Username || session.Data["kept"] != "since before" || !session.Live {
				t.Errorf("%s: a session is not whole: %+v", when, session)
			}
		}
	}
	if fresh > 1 || old+fresh == 0 {
		t.Errorf("%s: %d sessions of before the login, %d of after", when, old, fresh)
	}
	return fresh > 0
}

// crashSite is a site for kills: its djedge is started anew for every one of them.
func crashSite(t *testing.T, kind string) *site {
	t.Helper()
	db := newDatabase(t, kind, current)
	return &site{t: t, db: db, django: startDjango(t, current, db, settings{"SECRET_KEY": secretKey})}
}

// wantWorking fails the test unless a djedge started now works as ever.
func (s *site) wantWorking(url, engine string) {
	s.t.Helper()
	s.edge = startEdge(s.t, url, edgeOptions{engine: engine, config: quickConfig})
	c := newCrash(s, true)
	c.before.loginAtEdge(c.user)
	c.before.wantUser(c.user.Username)
}

// rounds is how often every step is gone through.
const rounds = 2

// Before and after every single message that djedge sends to PostgreSQL during a login, djedge is killed.
func TestKillAtEveryStepOnPostgres(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		for _, upgrade := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/upgrade=%v", engine, upgrade), func(t *testing.T) {
				t.Parallel()
				s := crashSite(t, "postgres")
				w := newWire(t, postgres(t).addr)
				url := postgresURL(w.addr(), s.db.django["NAME"].(string))
				kills, loggedIn := 0, 0
				for n := range 2 * rounds {
					before := n%2 == 0
					for at := 1; ; at++ {
						c := newCrash(s, upgrade)
						e := launchEdge(t, url, edgeOptions{engine: engine, config: quickConfig})
						w.arm(&step{at: at, before: before, act: e.kill})
						c.login(e)
						reached, seen := w.disarm()
						e.kill()
						done := c.check(fmt.Sprintf("killed at message %d (before it: %v)", at, before))
						if !reached {
							if a := c.before.cookie(sessionCookie); a == c.session || a == "" {
								t.Errorf("the login of %d messages that nothing disturbed failed", seen)
							}
							break
						}
						kills++
						if done {
							loggedIn++
						}
					}
				}
				// Both must have happened, or the kills were not where they were meant to be.
				if kills < 20*rounds || loggedIn == 0 || loggedIn == kills {
					t.Errorf("killed %d times, of which the login was done %d times", kills, loggedIn)
				}
				t.Logf("killed %d times, of which the login was done %d times", kills, loggedIn)
				s.wantWorking(url, engine)
			})
		}
	}
}

// At random moments of a login on SQLite, djedge is killed.
func TestKillAtRandomOnSQLite(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := crashSite(t, "sqlite")
			took, loggedIn := 50*time.Millisecond, 0
			for i := range 40 {
				c := newCrash(s, i%2 == 0)
				e := launchEdge(t, s.db.url, edgeOptions{engine: engine, config: quickConfig})
				delay := time.Duration(0)
				if i > 0 { // the first one measures how long it takes
					delay = rand.N(took)
					time.AfterFunc(delay, e.kill)
				}
				began := time.Now()
				c.login(e)
				if i == 0 {
					took = time.Since(began)
				}
				e.kill()
				if c.check(fmt.Sprintf("killed after %v of %v", delay, took)) {
					loggedIn++
				}
			}
			t.Logf("of 40 logins %d were done", loggedIn)
			s.wantWorking(s.db.url, engine)
		})
	}
}
