package serve

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	l := newLimiter(0, 3, time.Minute)
	a, b := limiterKey{1}, limiterKey{2}
	now := time.Unix(1_700_000_000, 0)
	for range 3 {
		if wait := l.take(a, now); wait != 0 {
			t.Fatalf("refused within the limit, wait %v", wait)
		}
	}
	if wait := l.take(a, now.Add(20*time.Second)); wait != 40*time.Second {
		t.Errorf("wait %v, want what is left of the minute", wait)
	}
	if wait := l.take(b, now); wait != 0 {
		t.Errorf("another key has to wait %v", wait)
	}
	if wait := l.take(a, now.Add(time.Minute)); wait != 0 {
		t.Errorf("wait %v in the next window", wait)
	}
	if len(l.keys) != 1 || l.order.Len() != 1 {
		t.Errorf("%d keys are kept after their windows, want the one in use", len(l.keys))
	}
	l.giveBack(a)
	if len(l.keys) != 0 {
		t.Error("a window with nothing in it is kept")
	}
	l.giveBack(a) // nothing to give back
	if off := newLimiter(-1, 3, time.Minute); off.take(a, now) != 0 {
		t.Error("a limiter that is off refuses")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(1, 1, time.Minute)
	now := time.Unix(1_700_000_000, 0)
	for i := range maxLimiterKeys + 100 {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(i))
		l.take(sha256.Sum256(n[:]), now)
	}
	if len(l.keys) != maxLimiterKeys || l.order.Len() != maxLimiterKeys {
		t.Errorf("%d keys, %d windows", len(l.keys), l.order.Len())
	}
}

// A flood of other keys does not end a refusal.
func TestLimiterEvictsTheInnocent(t *testing.T) {
	l := newLimiter(2, 2, time.Minute)
	now := time.Unix(1_700_000_000, 0)
	guessed, undecided := limiterKey{1}, limiterKey{2}
	for range 2 {
		l.take(guessed, now)
		l.take(undecided, now)
	}
	l.giveBack(undecided)
	for i := range maxLimiterKeys + 100 {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(i))
		l.take(sha256.Sum256(n[:]), now)
	}
	if len(l.keys) != maxLimiterKeys || l.order.Len() != maxLimiterKeys || l.below.Len() != maxLimiterKeys-1 {
		t.Errorf("%d keys, %d windows, %d below the maximum", len(l.keys), l.order.Len(), l.below.Len())
	}
	if wait := l.take(guessed, now); wait != time.Minute {
		t.Errorf("an exhausted window was forgotten: wait %v", wait)
	}
	if _, ok := l.keys[undecided]; ok {
		t.Error("a window below the maximum was kept")
	}
	if l.take(limiterKey{3}, now.Add(time.Minute)); len(l.keys) != 1 || l.below.Len() != 1 {
		t.Errorf("%d keys, %d below the maximum after the windows ended", len(l.keys), l.below.Len())
	}
}

func TestLimiterKeys(t *testing.T) {
	same := [][2]string{{"Bob", "bob"}, {"\ufb01n", "fin"}, {"A\u030a", "\u00c5"},
		{"alice", "alice "}, {"alice", "\u3000alice"}, {"alice", strings.Repeat(" ", 2000) + "alice"}, {"alice", "\x1falice\u0085\n"},
		{strings.Repeat("\uff21", 150), strings.Repeat("a", 150)}}
	for _, pair := range same {
		if userKey(pair[0]) != userKey(pair[1]) {
			t.Errorf("%q and %q are two users", pair[0], pair[1])
		}
	}
	if userKey("bob") == userKey("rob") || userKey("a b") == userKey("ab") {
		t.Error("two users are one")
	}
	addresses := func(a, b string) bool {
		return addressKey(netip.MustParseAddr(a)) == addressKey(netip.MustParseAddr(b))
	}
	if !addresses("2001:db8::1", "2001:db8::ffff:1:2:3") || addresses("2001:db8::1", "2001:db8:0:1::1") {
		t.Error("an IPv6 client is its /64")
	}
	if addresses("192.0.2.1", "192.0.2.2") || !addresses("192.0.2.1", "::ffff:192.0.2.1") {
		t.Error("an IPv4 client is its address")
	}
}

func TestClientAddress(t *testing.T) {
	trusting := &server{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	for _, test := range []struct {
		name      string
		server    *server
		peer      string
		forwarded []string
		want      string
	}{
		{"nobody is trusted", &server{}, "10.0.0.1:5", []string{"192.0.2.1"}, "10.0.0.1"},
		{"direct client", trusting, "192.0.2.9:5", []string{"10.0.0.1", "192.0.2.1"}, "192.0.2.9"},
		{"one proxy", trusting, "10.0.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		{"the client wrote the left part", trusting, "10.0.0.1:5", []string{"203.0.113.7, 192.0.2.1"}, "192.0.2.1"},
		{"two headers", trusting, "10.0.0.1:5", []string{"203.0.113.7", "192.0.2.1"}, "192.0.2.1"},
		{"two proxies", trusting, "10.0.0.1:5", []string{"203.0.113.7, 192.0.2.1 ,10.2.3.4"}, "192.0.2.1"},
		{"no header", trusting, "10.0.0.1:5", nil, "10.0.0.1"},
		{"rubbish", trusting, "10.0.0.1:5", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		{"rubbish behind a proxy", trusting, "10.0.0.1:5", []string{"192.0.2.1, , 10.0.0.2"}, "10.0.0.2"},
		{"only proxies", trusting, "10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"IPv6 with a port", trusting, "[::1]:5", []string{"[2001:db8::1]:77"}, "2001:db8::1"},
		{"mapped IPv4", trusting, "[::ffff:10.0.0.1]:5", []string{"192.0.2.1:80"}, "192.0.2.1"},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := test.server.clientAddress(r).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// FuzzClientAddress: the address is the peer's or stands in the header, and is
// a trusted proxy's only when everything right of it is one too.
func FuzzClientAddress(f *testing.F) {
	f.Add("203.0.113.7, 192.0.2.1 ,10.2.3.4")
	f.Add("[2001:db8::1]:77,::ffff:10.0.0.1")
	f.Add(",,unknown,10.0.0.1:99999")
	trusting := &server{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{"X-Forwarded-For": {header}}}
		got := trusting.clientAddress(r)
		hops := strings.Split(header, ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, ok := parseAddress(strings.TrimSpace(hops[i]))
			if !ok {
				break
			}
			if !trusting.trusts(hop) {
				if got != hop {
					t.Errorf("%q: %s, want %s", header, got, hop)
				}
				return
			}
		}
		if !trusting.trusts(got) {
			t.Errorf("%q: %s came from nowhere", header, got)
		}
		// A client that connects by itself is who it is.
		r.RemoteAddr = "192.0.2.9:5"
		if got := trusting.clientAddress(r).String(); got != "192.0.2.9" {
			t.Errorf("%q: a direct client is %s", header, got)
		}
	})
}
