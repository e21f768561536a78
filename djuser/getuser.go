package djuser

import (
	"context"
	"errors"
	"slices"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
)

// claim is whom a session says it belongs to.
type claim struct {
	pk            query.Value
	backend, hash string
	users         *Users // whose settings it was read by
}

// claim reads a session, unless the same bytes were read before.
func (u *Users) claim(sess *djsession.Session) (claim, gate.Reason) {
	if c, ok := sess.Note().(*claim); ok && c.users == u {
		return *c, gate.ReasonOK
	}
	c, why := u.readClaim(sess)
	if why == gate.ReasonOK {
		c.users = u
		sess.SetNote(&c)
	}
	return c, why
}

// readClaim reads a session. Any reason but [gate.ReasonOK] means that there is no
// user to ask for, and that the session stays as it is.
func (u *Users) readClaim(sess *djsession.Session) (claim, gate.Reason) {
	k := u.settings.SessionKeys
	_, hasID := sess.Get(k.UserID)
	_, hasBackend := sess.Get(k.Backend)
	if !hasID || !hasBackend {
		switch {
		case errors.Is(sess.Err(), signing.ErrExpired): // a cookie that is too old
			return claim{}, gate.ReasonSessionUnknown
		case sess.Err() != nil:
			return claim{}, gate.ReasonSessionCorrupt
		}
		return claim{}, gate.ReasonAnonymous
	}
	var c claim
	var ok bool
	if c.pk, ok = u.sessionID(sess); !ok {
		return claim{}, gate.ReasonUserMissing
	}
	c.backend, _ = sess.Text(k.Backend)
	if c.backend == "" || !slices.Contains(u.settings.Backends, c.backend) {
		return claim{}, gate.ReasonBackendNotAllowed
	}
	c.hash, _ = sess.Text(k.Hash) // not text: a hash that fails
	return c, gate.ReasonOK
}

// GetUser is Django's get_user: the user of a session, or nil and why there is
// none. The session is left alone, except with [Settings.WritesOnReads]: then a
// session whose hash was made with a fallback key moves to a new key with the
// current hash, and one whose hash fails is flushed. An error means that
// nothing could be found out; the reason then is one of those that are never
// let through. With [Settings.Unchecked] the reason for a user is
// [gate.ReasonUserUnchecked].
func (u *Users) GetUser(ctx context.Context, fx Effects, sess *djsession.Session) (*User, gate.Reason, error) {
	return u.getUser(ctx, fx, sess, false)
}

func (u *Users) getUser(ctx context.Context, fx Effects, sess *djsession.Session, granted bool) (*User, gate.Reason, error) {
	c, why := u.claim(sess)
	if why != gate.ReasonOK {
		return nil, why, nil
	}
	if u.settings.Unchecked {
		return u.unchecked(c), gate.ReasonUserUnchecked, nil
	}
	user, err := u.load(ctx, fx, c.pk, granted)
	if err != nil {
		return nil, gate.ReasonDatabaseUnavailable, err
	}
	return u.verify(ctx, fx, sess, c, user)
}

// unchecked is the user whom a session names, of whom nothing else is known.
func (u *Users) unchecked(c claim) *User {
	row := make([]query.Value, len(u.columns.all))
	row[u.columns.pk] = c.pk
	return &User{users: u, row: row, password: new(string), backend: c.backend}
}

// FromKey loads the session with this key and its user, as [Users.GetUser]
// does. A hint is the user's primary key as the caller remembers it, or null:
// when it is right, both rows come in one round trip; when it is wrong, the
// user is asked for again. It decides nothing, and counts for nothing unless the
// sessions are in the database alone. The session is never nil; for an unknown
// key its own key is "".
func (u *Users) FromKey(ctx context.Context, fx Effects, key string, hint query.Value) (*djsession.Session, *User, gate.Reason, error) {
	return u.fromKey(ctx, fx, new(Room), key, hint, false)
}

// Room is where [Users.FromKeyIn] keeps what it asks for and what it finds, all
// allocated at once. The zero Room is ready. It may be used again, cleared, when
// nothing that was asked for or found is needed any more.
type Room struct {
	statements [1 + maxRowStatements]query.Statement
	args       [2 + 1]query.Value
	date       query.TimeText
	session    djsession.Session
	user       loaded
	row        int
}

// Row is the number of the result, among those that came last, whose only row is
// the user who was found; 0 when that is not so simple.
func (r *Room) Row() int { return r.row }

// FromKeyIn is [Users.FromKey] with its memory in room, for a caller that
// answers one request after another.
func (u *Users) FromKeyIn(ctx context.Context, fx Effects, room *Room, key string, hint query.Value) (*djsession.Session, *User, gate.Reason, error) {
	return u.fromKey(ctx, fx, room, key, hint, false)
}

func (u *Users) fromKey(ctx context.Context, fx Effects, room *Room, key string, hint query.Value, granted bool) (*djsession.Session, *User, gate.Reason, error) {
	if !djsession.ValidKey(key) {
		return djsession.NewSession(""), nil, gate.ReasonNoSession, nil
	}
	if u.store.Engine() != djsession.EngineDB {
		return u.fromStore(ctx, fx, key, granted)
	}
	statements := append(room.statements[:0], u.store.LoadInto(room.args[:0:2], &room.date, key, fx.Now()))
	guess, guessed := u.parseHint(hint)
	if guessed {
		statements = u.rowStatements(statements, room.args[2:2], guess, granted)
	}
	results, err := ask(ctx, fx, statements...)
	if err != nil {
		return djsession.NewSession(""), nil, gate.ReasonDatabaseUnavailable, errorf.Errorf("reading a session: %w", err)
	}
	sess := &room.session
	if err := u.store.ReadInto(sess, key, &results[0]); err != nil {
		return djsession.NewSession(""), nil, gate.ReasonDatabaseUnavailable, errorf.Errorf("reading a session: %w", err)
	}
	if sess.Key() == "" {
		return sess, nil, gate.ReasonSessionUnknown, nil
	}
	c, why := u.claim(sess)
	if why != gate.ReasonOK {
		return sess, nil, why, nil
	}
	var user *User
	if guessed && c.pk == guess {
		user, err = u.readRow(&room.user, guess, results[1:], granted)
		if len(results[1].Rows) == 1 {
			room.row = 1
		}
	} else {
		user, err = u.load(ctx, fx, c.pk, granted)
	}
	if err != nil {
		return djsession.NewSession(""), nil, gate.ReasonDatabaseUnavailable, err
	}
	user, why, err = u.verify(ctx, fx, sess, c, user)
	return sess, user, why, err
}

// fromStore is FromKey for sessions that no statement alone can load.
func (u *Users) fromStore(ctx context.Context, fx Effects, key string, granted bool) (*djsession.Session, *User, gate.Reason, error) {
	sess, err := u.store.Load(ctx, fx, key)
	switch {
	case err != nil:
		return djsession.NewSession(""), nil, gate.ReasonDatabaseUnavailable, err
	case sess.Key() == "" && sess.Err() != nil:
		return sess, nil, gate.ReasonSessionCorrupt, nil
	case sess.Key() == "":
		return sess, nil, gate.ReasonSessionUnknown, nil
	}
	user, why, err := u.getUser(ctx, fx, sess, granted)
	if err != nil {
		sess = djsession.NewSession("")
	}
	return sess, user, why, err
}

// verify decides whether user, who may be nil, is the session's.
func (u *Users) verify(ctx context.Context, fx Effects, sess *djsession.Session, c claim, user *User) (*User, gate.Reason, error) {
	if user == nil {
		return nil, gate.ReasonUserMissing, nil
	}
	if !user.IsActive() && !allowsInactive(c.backend) {
		return nil, gate.ReasonUserInactive, nil
	}
	ok, fallback := u.verifyAuthHash(c.hash, *user.password)
	if !ok {
		if u.settings.WritesOnReads {
			if err := u.store.Flush(ctx, fx, sess); err != nil {
				return nil, gate.ReasonDatabaseUnavailable, errorf.Errorf("flushing a session: %w", err)
			}
		}
		return nil, gate.ReasonAuthHashMismatch, nil
	}
	if fallback && u.settings.WritesOnReads {
		sess.SetText(u.settings.SessionKeys.Hash, u.SessionAuthHash(*user.password))
		if err := u.renew(ctx, fx, sess); err != nil {
			return nil, gate.ReasonDatabaseUnavailable, err
		}
	}
	user.backend = c.backend
	return user, gate.ReasonOK, nil
}

// renew inserts the session's data under a new key, and deletes the old row.
func (u *Users) renew(ctx context.Context, fx Effects, sess *djsession.Session) (err error) {
	if sess.Key() == "" {
		err = u.store.Create(ctx, fx, sess)
	} else {
		err = u.store.CycleKey(ctx, fx, sess)
	}
	if err != nil {
		return errorf.Errorf("moving a session to a new key: %w", err)
	}
	return nil
}
