package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

var errNotCache = errors.New("the operation is not one of a cache")

// parseError says as much about a URL as cannot hold a part of its password.
func parseError(server string) error {
	if u, err := url.Parse(server); err == nil {
		switch u.Scheme {
		case "redis", "rediss", "unix":
		default:
			return errors.New("redis: the server's URL does not begin with redis://, rediss:// or unix://")
		}
	}
	return errors.New("redis: the server's URL cannot be read (in a password, characters such as @ / # % , ; are percent-encoded)")
}

// clean is err without what it may tell of keys, values and passwords.
func clean(ctx context.Context, err error) error {
	var server goredis.Error
	var dial *net.OpError
	var network net.Error
	switch {
	case errors.Is(err, errNotCache):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &server):
		// Some messages quote arguments; the first word is a code.
		code, _, _ := strings.Cut(server.Error(), " ")
		return fmt.Errorf("the server answered %s", code)
	case errors.As(err, &dial) && dial.Op == "dial":
		return dial // names the address
	case errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was lost")
	case errors.Is(err, goredis.ErrClosed):
		return err
	}
	return fmt.Errorf("the client failed (%T)", err)
}
