package djsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// Store keeps sessions as Django's "db" engine does
// (django.contrib.sessions.backends.db). It holds no state besides its settings
// and may be used by several goroutines at once.
type Store struct {
	set                                   Settings
	load, insert, update, remove, expired query.Statement
}

// Settings are the settings with every default filled in.
func (s *Store) Settings() Settings { return s.set }

// Statements are the names and SQL of every statement that a Store asks for.
func (s *Store) Statements() []query.Statement {
	return []query.Statement{s.load, s.insert, s.update, s.remove, s.expired}
}

func (s *Store) prepare() {
	d := s.set.Dialect
	table := d.Quote(s.set.Table)
	key, data, expire := d.Quote("session_key"), d.Quote("session_data"), d.Quote("expire_date")
	statement := func(name, sql string) query.Statement {
		return query.Statement{Name: name, SQL: d.Rebind(sql)}
	}
	s.load = statement("session_load", "SELECT "+key+", "+data+" FROM "+table+" WHERE "+key+" = ? AND "+expire+" > ?")
	s.insert = statement("session_insert", "INSERT INTO "+table+" ("+key+", "+data+", "+expire+") VALUES (?, ?, ?)")
	s.update = statement("session_update", "UPDATE "+table+" SET "+data+" = ?, "+expire+" = ? WHERE "+key+" = ?")
	s.remove = statement("session_delete", "DELETE FROM "+table+" WHERE "+key+" = ?")
	s.expired = statement("session_clear_expired", "DELETE FROM "+table+" WHERE "+expire+" < ?")
}

func with(s query.Statement, args ...query.Value) query.Statement {
	s.Args = args
	return s
}

// LoadStatement asks for the live session under key, which [ValidKey] accepted.
func (s *Store) LoadStatement(key string, now time.Time) query.Statement {
	return with(s.load, query.Text(key), s.set.Dialect.Time(now))
}

// FromResult is the session that r, the answer to [Store.LoadStatement], holds.
// A miss is an empty session without a key: unknown keys are never adopted. The
// key is compared again here, since MySQL's collations ignore case, accents and
// trailing blanks. For data that cannot be read see [Session.Err].
func (s *Store) FromResult(key string, r query.Result) *Session {
	for _, row := range r.Rows {
		if len(row) < 2 || row[0].Text() != key {
			continue
		}
		items, err := s.Decode(row[1].Text())
		return &Session{key: key, items: items, err: err}
	}
	return NewSession("")
}

// Load is the live session under key; see [Store.FromResult]. A key that
// [ValidKey] refuses is a miss and costs no query. An error means that the
// database did not answer.
func (s *Store) Load(ctx context.Context, fx Effects, key string) (*Session, error) {
	if !ValidKey(key) {
		return NewSession(""), nil
	}
	results, err := fx.Query(ctx, false, s.LoadStatement(key, fx.Now()))
	if err == nil && len(results) != 1 {
		err = errResults
	}
	if err != nil {
		return nil, fmt.Errorf("load session: %w", err)
	}
	return s.FromResult(key, results[0]), nil
}

var errResults = errors.New("the host answered with another number of results")

// createTries bounds how often a new key may already exist. With sound
// randomness none ever does.
const createTries = 5

// Create stores sess under a new key. On an error sess keeps the key it had.
func (s *Store) Create(ctx context.Context, fx Effects, sess *Session) error {
	for try := 1; ; try++ {
		key, err := NewKey(ctx, fx)
		if err != nil {
			return err
		}
		data, expires, err := s.row(sess, fx.Now())
		if err != nil {
			return fmt.Errorf("create session: %w", err)
		}
		// Alone, because a failed statement would abort others with it.
		_, err = fx.Query(ctx, false, with(s.insert, query.Text(key), data, expires))
		switch {
		case err == nil:
			sess.key = key
			sess.accessed, sess.modified = true, true
			return nil
		case !errors.Is(err, query.ErrDuplicate) || try == createTries:
			return fmt.Errorf("create session: %w", err)
		}
	}
}

// Save writes sess as a whole over the stored row; the last writer wins. A
// session without a key is created. Without a row it is [ErrUpdate], and
// nothing is inserted: a logout elsewhere must win.
func (s *Store) Save(ctx context.Context, fx Effects, sess *Session) error {
	if sess.key == "" {
		return s.Create(ctx, fx, sess)
	}
	data, expires, err := s.row(sess, fx.Now())
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	results, err := fx.Query(ctx, false, with(s.update, data, expires, query.Text(sess.key)))
	if err == nil && len(results) != 1 {
		err = errResults
	}
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	if results[0].Affected == 0 {
		return ErrUpdate
	}
	return nil
}

// row is what is stored of sess: its data and when that expires.
func (s *Store) row(sess *Session, now time.Time) (data, expires query.Value, err error) {
	date, err := s.ExpiryDate(sess, now)
	if err != nil {
		return data, expires, err
	}
	text, err := s.Encode(sess.items, now)
	if err != nil {
		return data, expires, err
	}
	return query.Text(text), s.set.Dialect.Time(date), nil
}

// Delete removes the row under key. A missing row is fine.
func (s *Store) Delete(ctx context.Context, fx Effects, key string) error {
	if !ValidKey(key) {
		return nil
	}
	if _, err := fx.Query(ctx, false, with(s.remove, query.Text(key))); err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	return nil
}

// CycleKey stores the current entries under a new key and then deletes the row
// under the old one, so that a crash in between loses nothing. When only the
// deletion fails, the error is returned and sess has its new key.
func (s *Store) CycleKey(ctx context.Context, fx Effects, sess *Session) error {
	old := sess.key
	if err := s.Create(ctx, fx, sess); err != nil {
		return err
	}
	return s.Delete(ctx, fx, old)
}

// Flush deletes the stored row, the entries and the key. On an error sess is unchanged.
func (s *Store) Flush(ctx context.Context, fx Effects, sess *Session) error {
	if err := s.Delete(ctx, fx, sess.key); err != nil {
		return err
	}
	sess.Clear()
	sess.key, sess.err = "", nil
	return nil
}

// ClearExpired deletes every expired session and counts them (Django's
// clearsessions).
func (s *Store) ClearExpired(ctx context.Context, fx Effects) (int64, error) {
	results, err := fx.Query(ctx, false, with(s.expired, s.set.Dialect.Time(fx.Now())))
	if err == nil && len(results) != 1 {
		err = errResults
	}
	if err != nil {
		return 0, fmt.Errorf("clear expired sessions: %w", err)
	}
	return results[0].Affected, nil
}
