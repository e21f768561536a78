package serve

import (
	"container/list"
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/djuser"
)

// Limits slow down the guessing of passwords. They live in memory: several
// servers have limits of their own, and a restart begins anew.
type Limits struct {
	// PasswordRequests is how many requests one address may make to the
	// endpoints that take a password, per minute. An IPv6 client is its /64
	// network. 0 is 60; negative is no limit.
	PasswordRequests int
	// UserFailures is how many logins may fail for one user name in ten
	// minutes, from wherever they come; after that the right password is
	// refused too, so that a refusal tells nothing. 0 is 10; negative is no limit.
	UserFailures int
	// PasswordBytes is the longest password that is tried at a login; a longer
	// one is refused, and not counted as a failure, since nothing is hashed for
	// it. It should be the host's Limits.PasswordBytes. 0 is 4096.
	PasswordBytes int
}

const (
	defaultPasswordRequests = 60
	defaultUserFailures     = 10
	defaultPasswordBytes    = 4096

	addressWindow = time.Minute
	userWindow    = 10 * time.Minute

	// maxLimiterKeys bounds the memory of one limiter to some ten megabytes.
	// When it is full, a window is forgotten: see evict.
	maxLimiterKeys = 1 << 16
)

// limiterKey is a digest, so that no name takes more memory than another.
type limiterKey [sha256.Size]byte

// limiter counts events per key in windows that begin with a key's first
// event. All windows are equally long, so they end in the order they began.
// A nil limiter lets everything through.
type limiter struct {
	max    int
	window time.Duration

	mu    sync.Mutex
	keys  map[limiterKey]*list.Element
	order *list.List // of *window, oldest first
	below *list.List // those of them whose count is below max
}

type window struct {
	key   limiterKey
	until time.Time
	count int
	below *list.Element // nil when it is exhausted
}

func newLimiter(configured, byDefault int, length time.Duration) *limiter {
	if configured < 0 {
		return nil
	}
	if configured == 0 {
		configured = byDefault
	}
	return &limiter{max: configured, window: length, keys: make(map[limiterKey]*list.Element), order: list.New(), below: list.New()}
}

// take counts one event. It returns 0 when that is within the limit, and else
// for how long to wait; then nothing was counted.
func (l *limiter) take(key limiterKey, now time.Time) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.order.Front(); e != nil && !now.Before(e.Value.(*window).until); e = l.order.Front() {
		l.forget(e)
	}
	e, ok := l.keys[key]
	if !ok {
		if l.order.Len() >= maxLimiterKeys {
			l.evict()
		}
		w := &window{key: key, until: now.Add(l.window)}
		w.below = l.below.PushBack(w)
		e = l.order.PushBack(w)
		l.keys[key] = e
	}
	w := e.Value.(*window)
	if w.count >= l.max {
		return w.until.Sub(now)
	}
	if w.count++; w.count >= l.max && w.below != nil {
		l.below.Remove(w.below)
		w.below = nil
	}
	return 0
}

// evict makes room: it forgets the oldest window that is not exhausted. If it
// took an exhausted one, a flood of made-up keys would end a refusal.
func (l *limiter) evict() {
	oldest := l.order.Front()
	if e := l.below.Front(); e != nil {
		oldest = l.keys[e.Value.(*window).key]
	}
	l.forget(oldest)
}

// giveBack takes back one event, which turned out not to count.
func (l *limiter) giveBack(key limiterKey) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.keys[key]; ok {
		w := e.Value.(*window)
		w.count--
		switch {
		case w.count <= 0:
			l.forget(e)
		case w.below == nil:
			w.below = l.below.PushBack(w)
		}
	}
}

func (l *limiter) forget(e *list.Element) {
	w := l.order.Remove(e).(*window)
	if w.below != nil {
		l.below.Remove(w.below)
	}
	delete(l.keys, w.key)
}

// maxLoginName is at least the length of every column for names that the
// rules know, so that a name that they normalise is normalised here too.
const maxLoginName = 254

// userKey is the same for all spellings that may reach one user: stripped and
// normalised as the rules do it before they look a name up, and in lower case,
// since some collations ignore case.
func userKey(entered string) limiterKey {
	name := djuser.CleanLoginName(entered, maxLoginName)
	return sha256.Sum256([]byte(strings.ToLower(name)))
}

// addressKey is an IPv4 address, or the network of an IPv6 address: whoever
// has one address of a /64 has all of them.
func addressKey(address netip.Addr) limiterKey {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			address = network.Addr()
		}
	}
	return sha256.Sum256([]byte(address.String()))
}
