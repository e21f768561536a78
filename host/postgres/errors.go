package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/djedge/djedge/djsession/query"
)

// ErrConfig is in the error of [New] when trying again cannot help: the
// configuration itself is wrong.
var ErrConfig = errors.New("the database is misconfigured")

// configError is [ErrConfig] besides what it says.
type configError struct{ error }

func (configError) Is(target error) bool { return target == ErrConfig }
func (e configError) Unwrap() error      { return e.error }

// clean is err without what it may tell of statements and their values. What
// is known to be harmless is kept; of the rest only the type.
func clean(err error) error {
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect):
		// Names the user, the database and the address; never the password.
		return errors.New(strings.Join(strings.Fields(connect.Error()), " "))
	case errors.As(err, &server):
		return serverError(server)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, pgconn.ErrConnClosed):
		return errors.New("the connection was lost")
	}
	return fmt.Errorf("the driver failed (%T)", innermost(err))
}

func serverError(e *pgconn.PgError) error {
	switch {
	case e.Code == "23505": // unique_violation
		return query.ErrDuplicate
	case strings.HasPrefix(e.Code, "22"), strings.HasPrefix(e.Code, "23"):
		return fmt.Errorf("the data was refused (SQLSTATE %s)", e.Code) // these messages quote values
	}
	return fmt.Errorf("%s (SQLSTATE %s)", e.Message, e.Code)
}

// stale reports whether the connection is about to end, or holds a prepared
// statement from before a migration.
func stale(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false
	}
	switch server.Code {
	case "57P01", "57P02", "57P03", // admin_shutdown, crash_shutdown, cannot_connect_now
		"0A000": // cached plan must not change result type
		return true
	}
	return false
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
