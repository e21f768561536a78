package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	httpserve "github.com/djedge/djedge/host/serve"
)

// warn logs what is allowed but probably not meant.
func (c *config) warn(ctx context.Context, db host.DB, log *slog.Logger) {
	unsafe := false
	for _, name := range c.api {
		unsafe = unsafe || name != httpserve.Me
	}
	if unsafe && len(c.host.PublicOrigins) == 0 && !isLoopback(c.listen) {
		log.Warn("public_origins is empty: browsers can neither log in nor out here")
	}
	for _, text := range c.trustedProxies {
		if prefix, err := parsePrefix(text); err == nil && prefix.Bits() == 0 {
			log.Warn("trusted_proxies is everybody: every client can make up its address and the request that is asked about", "network", text)
		}
	}
	if strings.EqualFold(c.host.SessionCookieSameSite, "None") && !c.host.SessionCookieSecure {
		log.Warn("session_cookie_samesite is None without session_cookie_secure: browsers refuse the cookie")
	}
	if window := c.host.MaxStaleness; window > 0 {
		log.Warn("max_staleness is set: this is the revocation window, for which a logout, a changed password or a deactivated user may go unseen", "revocation_window", window)
	}
	if c.host.UserCheck == "none" {
		log.Warn("user_check is none: a deleted or deactivated user and a changed password go unseen until a session's cookie has expired", "revocation_window", c.host.SessionCookieAge)
		return
	}
	if !c.demo {
		c.warnHashes(ctx, db, log)
	}
}

// warnHashes compares the stored passwords of a few users, by primary key the
// newest, with what this server would write: two sides that disagree rewrite
// each other's hashes, and each rewrite ends a user's other sessions. Only
// the name of the algorithm is logged.
func (c *config) warnHashes(ctx context.Context, db host.DB, log *slog.Logger) {
	hashers, err := c.hashers()
	if err != nil {
		return // host.New has refused it
	}
	h, d := &c.host, db.Dialect()
	results, err := db.Query(ctx, false, query.Statement{
		Name:  "password_sample",
		SQL:   "SELECT " + d.Quote("password") + " FROM " + d.Quote(h.UserTable) + " ORDER BY " + d.Quote(h.UserPK) + " DESC LIMIT 5",
		AdHoc: true,
	})
	if err != nil || len(results) != 1 {
		log.Warn("stored passwords could not be compared with djedge's parameters")
		return
	}
	for _, row := range results[0].Rows {
		if len(row) != 1 {
			continue
		}
		encoded := row[0].Text()
		if password.Usable(encoded) && encoded != "" && hashers.MustUpdate(encoded) {
			log.Warn("stored passwords have other parameters than djedge would write: set version, password_hashers or pbkdf2_iterations as the site has them",
				"stored", password.Identify(encoded), "preferred", hashers.Preferred())
			return
		}
	}
}
