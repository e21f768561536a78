package djuser

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// Login makes user, whom [Users.Authenticate] or [Users.Register] returned, the
// session's. As in Django, a session of another user, or of the same one with
// another password hash, loses its data; an anonymous one keeps it; both get a
// new key, so that a key planted before the login is worth nothing. The user's
// own session with the current hash keeps its key. A session that cannot be
// read here ([djsession.ErrUnread]) is left where it is, and another one made.
//
// It is stricter than Django where a crash would hurt: the new row is inserted
// once, with its final data, then the old one is deleted, then last_login is
// written. [djsession.ErrUpdate] means that a session that would have kept its
// key was deleted meanwhile. The CSRF secret is rotated in the session when it
// lives there; see [Users.CSRFCookie] for the other case.
func (u *Users) Login(ctx context.Context, fx Effects, sess *djsession.Session, user *User) error {
	backend := user.backend
	if backend == "" {
		backend = u.backendFor(user)
	}
	switch {
	case u.backend == "" && backend == "":
		return denied(gate.ReasonBackendNotAllowed)
	case backend == "":
		return denied(gate.ReasonUserInactive)
	}

	if errors.Is(sess.Err(), djsession.ErrUnread) {
		*sess = *djsession.NewSession("")
	}
	hash := u.SessionAuthHash(*user.password) // of the row as stored
	k := u.settings.SessionKeys
	keep, clear := false, false
	if _, loggedIn := sess.Get(k.UserID); loggedIn {
		pk, ok := u.sessionID(sess)
		stored, _ := sess.Text(k.Hash)
		keep = ok && idText(pk) == user.ID() && equal(stored, hash) && sess.Key() != ""
		clear = !keep
	}
	token := ""
	if u.settings.CSRFUseSessions {
		var err error
		if token, err = u.csrfToken(ctx, fx); err != nil {
			return err
		}
	}

	if clear {
		sess.Clear()
	}
	sess.SetText(k.UserID, user.ID())
	sess.SetText(k.Backend, backend)
	sess.SetText(k.Hash, hash)
	if token != "" {
		sess.SetText(csrfSessionKey, token)
	}
	if keep {
		if err := u.store.Save(ctx, fx, sess); err != nil {
			return errorf.Errorf("saving a session: %w", err)
		}
	} else if err := u.renew(ctx, fx, sess); err != nil {
		return err
	}
	user.backend = backend
	return u.touch(ctx, fx, user)
}

// touch is Django's update_last_login.
func (u *Users) touch(ctx context.Context, fx Effects, user *User) error {
	if u.columns.lastLogin < 0 {
		return nil
	}
	now := fx.Now()
	if _, err := change(ctx, fx, with(u.sql.lastLogin, u.store.Time(now), u.stored(user.PK()))); err != nil {
		return errorf.Errorf("writing last_login: %w", err)
	}
	user.row[u.columns.lastLogin] = query.Time(now)
	return nil
}

// languageKey is LANGUAGE_SESSION_KEY.
const languageKey = "_language"

// Logout flushes the session: its data, its row and its key are gone. As
// Django 2.2 does, for that version alone, it carries the visitor's language
// over into a new session; then sess has a key again, for a new cookie.
func (u *Users) Logout(ctx context.Context, fx Effects, sess *djsession.Session) error {
	language, kept := "", false
	if !u.settings.Version.AtLeast(3, 0) {
		language, kept = sess.Get(languageKey)
	}
	if err := u.store.Flush(ctx, fx, sess); err != nil {
		return errorf.Errorf("flushing a session: %w", err)
	}
	if kept && language != "null" {
		sess.Set(languageKey, language)
		if err := u.store.Create(ctx, fx, sess); err != nil {
			return errorf.Errorf("keeping the language of a session: %w", err)
		}
	}
	return nil
}
