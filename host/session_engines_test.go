package host_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/files"
)

// The session is the cookie: every save changes it, and one that cannot be
// read is replaced, as in Django.
func TestSavingSignedCookies(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		config.SessionEngine = "signed_cookies"
		h := newHost(t, config)
		set := func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Set(ctx, "a", "ü"))
		}
		read := func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			_, err := s.Items(ctx)
			must(t, err)
		}
		cookie := sent(t, handle(h, "", set))
		if got := entries(t, h, cookie); got != `a="\u00fc"` {
			t.Errorf("stored %s in %q", got, cookie)
		}
		if res := handle(h, cookie, read); sent(t, res) != "" {
			t.Errorf("read: %v", res.Header)
		}
		forged := "x" + cookie
		if res := handle(h, forged, read); sent(t, res) == "" || sent(t, res) == forged || entries(t, h, sent(t, res)) != "" {
			t.Errorf("forged: %v", res.Header)
		}
		if res := handle(h, cookie, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Flush(ctx))
		}); sent(t, res) != "-" {
			t.Errorf("flushed: %v", res.Header)
		}
		res := handle(h, cookie, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			long := make([]byte, 6000) // that does not compress
			for i, x := 0, uint32(1); i < len(long); i++ {
				x = x*1664525 + 1013904223
				long[i] = 'a' + byte(x>>24)%26
			}
			must(t, s.Set(ctx, "long", string(long)))
		})
		if res.StatusCode != 503 || sent(t, res) != "" {
			t.Errorf("too large for a cookie: %d", res.StatusCode)
		}
	})
}

func TestSavingFiles(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			folder, err := files.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = folder.Close() })
			h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret, SessionEngine: "file", Storage: folder, Engine: engine()})
			key := sent(t, handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				must(t, s.Set(ctx, "a", 1))
			}))
			res := handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				must(t, s.Set(ctx, "b", 2), s.CycleKey(ctx))
			})
			if moved := sent(t, res); moved == key || entries(t, h, moved) != "a=1 b=2" || entries(t, h, key) != "" {
				t.Errorf("%v", res.Header)
			}
			res = handle(h, strings.ToUpper(key), func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				_, _ = s.Keys(ctx)
			})
			if sent(t, res) != "-" {
				t.Errorf("a key that is no file: %v", res.Header)
			}
		})
	}
}
