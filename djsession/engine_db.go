package djsession

import (
	"context"
	"errors"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// dbEngine is django.contrib.sessions.backends.db.
type dbEngine struct{ *Store }

const sessionLoad = "session_load"

func (s *Store) prepare() {
	if !s.set.Engine.InTable() {
		return
	}
	d := s.set.Dialect
	table := d.Quote(s.set.Table)
	key, data, expire := d.Quote("session_key"), d.Quote("session_data"), d.Quote("expire_date")
	columns := key + ", " + data
	if s.set.Engine == EngineCachedDB { // which needs to know how long to cache it
		columns += ", " + expire
	}
	statement := func(name, sql string) query.Statement {
		return query.Statement{Name: name, SQL: d.Rebind(sql)}
	}
	s.sql.load = statement(sessionLoad, "SELECT "+columns+" FROM "+table+" WHERE "+key+" = ? AND "+expire+" > ?")
	s.sql.insert = statement("session_insert", "INSERT INTO "+table+" ("+key+", "+data+", "+expire+") VALUES (?, ?, ?)")
	s.sql.update = statement("session_update", "UPDATE "+table+" SET "+data+" = ?, "+expire+" = ? WHERE "+key+" = ?")
	s.sql.remove = statement("session_delete", "DELETE FROM "+table+" WHERE "+key+" = ?")
	s.sql.expired = statement("session_clear_expired", "DELETE FROM "+table+" WHERE "+expire+" < ?")
}

func with(s query.Statement, args ...query.Value) query.Statement {
	s.Args = args
	return s
}

var (
	errResults = errors.New("the host answered with another number of results")
	errRow     = errors.New("the host answered with another row than the statement has")
)

// one runs a statement alone: a failed one would abort others with it.
func one(ctx context.Context, fx Effects, statement query.Statement) (query.Result, error) {
	results, err := fx.Query(ctx, false, statement)
	if err == nil && len(results) != 1 {
		err = errResults
	}
	if err != nil {
		return query.Result{}, err
	}
	return results[0], nil
}

func (e dbEngine) load(ctx context.Context, fx Effects, key string) (*Session, error) {
	result, err := one(ctx, fx, e.LoadStatement(key, fx.Now()))
	if err != nil {
		return nil, err
	}
	return e.FromResult(key, result)
}

func (e dbEngine) create(ctx context.Context, fx Effects, sess *Session) error {
	data, expires, err := e.row(sess, fx.Now())
	if err != nil {
		return err
	}
	return e.insertRow(ctx, fx, sess, data, expires)
}

func (e dbEngine) insertRow(ctx context.Context, fx Effects, sess *Session, data, expires query.Value) error {
	return underNewKey(ctx, fx, sess, func(key string) (bool, error) {
		_, err := one(ctx, fx, with(e.sql.insert, query.Text(key), data, expires))
		if errors.Is(err, query.ErrDuplicate) {
			return false, nil
		}
		return true, err
	})
}

func (e dbEngine) save(ctx context.Context, fx Effects, sess *Session) error {
	data, expires, err := e.row(sess, fx.Now())
	if err != nil {
		return err
	}
	return e.updateRow(ctx, fx, sess.key, data, expires)
}

func (e dbEngine) updateRow(ctx context.Context, fx Effects, key string, data, expires query.Value) error {
	result, err := one(ctx, fx, with(e.sql.update, data, expires, query.Text(key)))
	if err == nil && result.Affected == 0 {
		return ErrUpdate
	}
	return err
}

// row is what is stored of sess: its data and when that expires.
func (e dbEngine) row(sess *Session, now time.Time) (data, expires query.Value, err error) {
	date, err := e.ExpiryDate(sess, now)
	if err != nil {
		return data, expires, err
	}
	text, err := e.Encode(sess.items, now)
	if err != nil {
		return data, expires, err
	}
	return query.Text(text), e.Time(date), nil
}

func (e dbEngine) remove(ctx context.Context, fx Effects, key string) error {
	_, err := fx.Query(ctx, false, with(e.sql.remove, query.Text(key)))
	return err
}

func (e dbEngine) clearExpired(ctx context.Context, fx Effects) (int64, error) {
	result, err := one(ctx, fx, with(e.sql.expired, e.Time(fx.Now())))
	return result.Affected, err
}
