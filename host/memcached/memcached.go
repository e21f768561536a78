// Package memcached keeps sessions in memcached, as Django's PyMemcacheCache
// does, so that each reads what the other wrote.
package memcached

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/djedge/djedge/djsession"
)

// ErrKey is returned, before anything is sent, for a key that memcached cannot
// have: longer than 250 bytes, or with spaces or control characters. Django
// raises InvalidCacheKey for it, which its sessions take for a miss; a get
// therefore finds nothing, without an error.
var ErrKey = errors.New("a key that memcached cannot have")

const (
	maxKey  = 250
	timeout = time.Second // of one exchange, when the caller's deadline is later
	idle    = 8           // connections that are kept, of each server
)

// Pool is one or several servers. It is safe for concurrent use.
type Pool struct {
	client *memcache.Client
}

// Open connects once to each server, to find out that it can. servers is
// LOCATION of Django's CACHES: host:port, unix:/path or /path, or several of
// them separated by commas or semicolons. Of several, each key belongs to one,
// the same that PyMemcacheCache would choose; Django's settings must spell the
// servers in the same way, since the choice is made by the text.
func Open(ctx context.Context, servers string) (*Pool, error) {
	nodes, err := parse(servers)
	if err != nil {
		return nil, fmt.Errorf("memcached: %w", err)
	}
	p := &Pool{client: memcache.NewFromSelector(nodes)}
	p.client.Timeout = timeout
	p.client.MaxIdleConns = idle
	if err := p.Ping(ctx); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// Ping asks every server.
func (p *Pool) Ping(ctx context.Context) error {
	if err := within(ctx, p.client.Ping); err != nil {
		return fmt.Errorf("memcached: %w", clean(err))
	}
	return nil
}

// Close closes every idle connection.
func (p *Pool) Close() error { return p.client.Close() }

// Storage does one of the Cache operations. A TTL of more than 30 days is sent
// as the time when it ends, as the protocol demands (at most the year 2038), and
// one below a second as -1, expired already: a set removes what was there, and
// an add tells whether the key was free.
func (p *Pool) Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	if !validKey(op.Key) {
		if op.Kind == djsession.CacheGet {
			return djsession.StorageResult{}, nil
		}
		return djsession.StorageResult{}, fmt.Errorf("memcached: %w", ErrKey)
	}
	item := memcache.Item{Key: op.Key, Value: []byte(op.Value), Flags: op.Flags, Expiration: expiration(op.TTL, time.Now())}
	var do func() error
	var got *memcache.Item
	switch op.Kind {
	case djsession.CacheGet:
		do = func() (err error) { got, err = p.client.Get(op.Key); return err }
	case djsession.CacheSet:
		do = func() error { return p.client.Set(&item) }
	case djsession.CacheAdd:
		do = func() error { return p.client.Add(&item) }
	case djsession.CacheDelete:
		do = func() error { return p.client.Delete(op.Key) }
	default:
		return djsession.StorageResult{}, errors.New("memcached: the operation is not one of a cache")
	}
	// Connections that were lost while they were idle are used up first. A
	// command that was heard twice does no harm: at worst an add says that the
	// key, which is random, is taken, and another one is tried.
	err := within(ctx, func() error {
		err := do()
		for n := 0; n < idle && lost(err) && ctx.Err() == nil; n++ {
			err = do()
		}
		return err
	})
	switch {
	case errors.Is(err, memcache.ErrCacheMiss), errors.Is(err, memcache.ErrNotStored):
		return djsession.StorageResult{}, nil
	case err != nil:
		return djsession.StorageResult{}, fmt.Errorf("memcached: %w", clean(err))
	case got != nil:
		return djsession.StorageResult{Found: true, Value: string(got.Value), Flags: got.Flags}, nil
	}
	return djsession.StorageResult{Found: true}, nil
}

// within waits for f until ctx ends; f itself ends at the latest when the
// client's timeout does, since the client knows no contexts.
func within(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ctx.Done() == nil || ok && time.Until(deadline) > 2*timeout {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] == 0x7f {
			return false
		}
	}
	return key != "" && len(key) <= maxKey
}

// expiration is Django's get_backend_timeout.
func expiration(ttl time.Duration, now time.Time) int32 {
	seconds := int64(ttl / time.Second)
	switch {
	case seconds <= 0:
		return -1
	case seconds > 30*24*60*60:
		seconds += now.Unix()
	}
	return int32(min(seconds, math.MaxInt32))
}

// lost reports whether the connection had ended before the answer began.
func lost(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.EOF) || errors.As(err, &network) && network.Op != "dial" && !network.Timeout()
}

// clean is err without what it may tell of keys.
func clean(err error) error {
	var dial *net.OpError
	var connect *memcache.ConnectTimeoutError
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &dial) && dial.Op == "dial", errors.As(err, &connect):
		return err // names the address
	case errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	case lost(err):
		return errors.New("the connection was lost")
	case strings.Contains(err.Error(), "SERVER_ERROR object too large"):
		return errors.New("the value is larger than the server allows")
	}
	return errors.New("the server answered with an error")
}
