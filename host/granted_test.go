package host_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/djedge/djedge/host"
)

// TestPermissionsFollowTheUser: what was known of a superuser's permissions
// ends with the session.
func TestPermissionsFollowTheUser(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, w http.ResponseWriter, r *http.Request) error{
		"flush": func(ctx context.Context, _ http.ResponseWriter, r *http.Request) error {
			return host.Session(r).Flush(ctx)
		},
		"logout": func(_ context.Context, w http.ResponseWriter, r *http.Request) error { return host.Logout(w, r) },
	} {
		h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Cookie", "sessionid="+sessionKey("alice"))
		serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before, err := host.User(r).HasPerm(r.Context(), "reports.view_report")
			must(t, err, end(r.Context(), w, r))
			after, err := host.User(r).HasPerm(r.Context(), "reports.view_report")
			must(t, err)
			if !before || after {
				t.Errorf("%s: %v before, %v after", name, before, after)
			}
		})), r)
	}
}
