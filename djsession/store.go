package djsession

import (
	"context"
	"errors"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/memo"
	"github.com/djedge/djedge/djsession/query"
)

// Store keeps sessions as one of Django's engines does; see [Engine]. Besides
// its settings, which never change, it remembers which bytes it has verified
// ([Settings].VerifiedBytes). It may be used by several goroutines at once.
type Store struct {
	set      Settings
	engine   engine
	verified *memo.Memo[*known] // by session_data or cookie, as one engine signs it
	sql      struct{ load, insert, update, remove, expired query.Statement }
}

// Settings are the settings with every default filled in.
func (s *Store) Settings() Settings { return s.set }

// Engine is where sessions are kept.
func (s *Store) Engine() Engine { return s.set.Engine }

// Statements are the names and SQL of every statement that a Store asks for;
// none when the engine keeps sessions elsewhere.
func (s *Store) Statements() []query.Statement {
	if !s.set.Engine.InTable() {
		return nil
	}
	return []query.Statement{s.sql.load, s.sql.insert, s.sql.update, s.sql.remove, s.sql.expired}
}

// LoadStatement asks for the live session under key, which [ValidKey] accepted.
// It is all that [EngineDB] does to load one, so that a caller can ask for more
// in the same round trip; with any other engine there is only [Store.Load].
func (s *Store) LoadStatement(key string, now time.Time) query.Statement {
	return s.LoadInto(nil, new(query.TimeText), key, now)
}

// LoadInto is [Store.LoadStatement] with its two arguments appended to args, and
// the text of the time in date, for a caller that allocates all that it asks for
// at once.
func (s *Store) LoadInto(args []query.Value, date *query.TimeText, key string, now time.Time) query.Statement {
	return with(s.sql.load, append(args, query.Text(key), s.timeIn(date, now))...)
}

// FromResult is the session that r, the answer to [Store.LoadStatement], holds.
// A miss is an empty session without a key: unknown keys are never adopted. The
// key is compared again here, since MySQL's collations ignore case, accents and
// trailing blanks. For data that cannot be read see [Session.Err]. An error means
// that r is no answer to the statement, so that nothing is known of the session.
func (s *Store) FromResult(key string, r query.Result) (*Session, error) {
	sess := new(Session)
	return sess, s.ReadInto(sess, key, &r)
}

// ReadInto is [Store.FromResult] that puts the session into sess.
func (s *Store) ReadInto(sess *Session, key string, r *query.Result) error {
	*sess = Session{}
	columns := 2
	if s.set.Engine == EngineCachedDB {
		columns = 3
	}
	found := -1
	for i, row := range r.Rows {
		if len(row) != columns || row[0].Kind() != query.KindText && row[0].Kind() != query.KindBytes {
			return errRow
		}
		if found < 0 && row[0].Text() == key {
			found = i
		}
	}
	if found >= 0 {
		s.loadInto(sess, key, r.Rows[found][1].Text())
	}
	return nil
}

// Load is the live session under key. A miss, and a key that [ValidKey]
// refuses, is an empty session without a key: unknown keys are never adopted.
// For data that cannot be read see [Session.Err]. An error means that the
// database, or the storage ([ErrStorage]), did not answer.
func (s *Store) Load(ctx context.Context, fx Effects, key string) (*Session, error) {
	if !ValidKey(key) {
		return NewSession(""), nil
	}
	sess, err := s.engine.load(ctx, fx, key)
	if err != nil {
		return nil, errorf.Errorf("load session: %w", err)
	}
	return sess, nil
}

// Create stores sess under a new key. On an error sess keeps the key it had.
func (s *Store) Create(ctx context.Context, fx Effects, sess *Session) error {
	if err := s.engine.create(ctx, fx, sess); err != nil {
		return errorf.Errorf("create session: %w", err)
	}
	return nil
}

// Save writes sess as a whole over what is stored; the last writer wins. A
// session without a key is created. When nothing is stored it is [ErrUpdate],
// and stays so: a logout elsewhere must win. With [EngineSignedCookies] the
// session gets a new key instead, which must reach the client. What could not be
// read is not written over: [ErrUnread].
func (s *Store) Save(ctx context.Context, fx Effects, sess *Session) error {
	if sess.key == "" {
		return s.Create(ctx, fx, sess)
	}
	if errors.Is(sess.err, ErrUnread) {
		return errorf.Errorf("save session: %w", sess.err)
	}
	err := s.engine.save(ctx, fx, sess)
	if err != nil && !errors.Is(err, ErrUpdate) {
		err = errorf.Errorf("save session: %w", err)
	}
	return err
}

// Delete removes what is stored under key. A missing session is fine.
func (s *Store) Delete(ctx context.Context, fx Effects, key string) error {
	if !ValidKey(key) {
		return nil
	}
	if err := s.engine.remove(ctx, fx, key); err != nil {
		return errorf.Errorf("delete session: %w", err)
	}
	return nil
}

// CycleKey stores the current entries under a new key and then deletes what is
// under the old one, so that a crash in between loses nothing. When only the
// deletion fails, the error is returned and sess has its new key. [ErrUnread]
// is as with [Store.Save].
func (s *Store) CycleKey(ctx context.Context, fx Effects, sess *Session) error {
	if errors.Is(sess.err, ErrUnread) {
		return errorf.Errorf("cycle session key: %w", sess.err)
	}
	old := sess.key
	if err := s.Create(ctx, fx, sess); err != nil {
		return err
	}
	return s.Delete(ctx, fx, old)
}

// Flush deletes what is stored, the entries and the key. On an error sess is unchanged.
func (s *Store) Flush(ctx context.Context, fx Effects, sess *Session) error {
	if err := s.Delete(ctx, fx, sess.key); err != nil {
		return err
	}
	sess.Clear()
	sess.key, sess.err, sess.cacheErr = "", nil, nil
	return nil
}

// ClearExpired deletes every expired session and counts them (Django's
// clearsessions). Caches and cookies do that by themselves. With [EngineFile]
// every file is read, and those of other programs are left alone.
func (s *Store) ClearExpired(ctx context.Context, fx Effects) (int64, error) {
	n, err := s.engine.clearExpired(ctx, fx)
	if err != nil {
		return 0, errorf.Errorf("clear expired sessions: %w", err)
	}
	return n, nil
}
