package host

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/query"
)

// noDB is where Config.UserCheck does without a database. Operations that need
// one cannot be done.
type noDB struct{}

var errNoDB = errors.New("user_check = none: there is no database")

func (noDB) Dialect() query.Dialect     { return query.PostgreSQL }
func (noDB) Ping(context.Context) error { return nil }
func (noDB) Close() error               { return nil }
func (noDB) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return nil, errNoDB
}
