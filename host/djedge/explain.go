package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// explain prints what /auth would decide about a request, and by which rule:
// the settings are those of serve. It reads the database and writes nothing.
func explain(ctx context.Context, p *process) (err error) {
	fs := newFlags("explain", "[flags] METHOD URL")
	session := fs.String("session", "", "`key` of the session: the value of the session cookie; - reads it from standard input, where no list of processes shows it. A request without a cookie when it is not given")
	c, arguments, err := loadConfigWith(p, fs)
	if err != nil {
		return err
	}
	if len(arguments) != 2 {
		return usagef("explain: needs two arguments, METHOD and URL")
	}
	request, err := explained(arguments[0], arguments[1])
	if err != nil {
		return err
	}
	key := *session
	if key == "-" {
		if key, err = readInput(p); err != nil {
			return err
		}
	}
	if key != "" {
		request.Headers = []gate.Header{{Name: "Cookie", Value: cmp.Or(c.host.SessionCookieName, "sessionid") + "=" + key}}
	}
	log, err := c.logger(p.stderr)
	if err != nil {
		return err
	}
	c.host.Logger = log
	c.host.WritesOnReads = false
	c.engine = "native" // the same rules, without compiling the module
	h, _, closeHost, err := c.openHost(ctx, openSite, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeHost()) }()

	d := h.Do(ctx, &abi.Op{Kind: abi.OpCheck, Require: gate.ByRules, Request: request}).Decision
	fmt.Fprintln(p.stdout, explanation(&d, c.host.Rules))
	if d.Identity != nil {
		fmt.Fprintf(p.stdout, "user %q, id %s\n", d.Identity.Name, d.Identity.ID)
	}
	if d.Outcome != gate.Allow {
		return errRefused
	}
	return nil
}

// explained is a request for a URL, or for a path. The path stays as it was
// typed: what a browser would tidy up, a client that means harm does not.
func explained(method, target string) (gate.Request, error) {
	r := gate.Request{Method: method, URI: target, Scheme: "https"}
	if strings.HasPrefix(target, "/") {
		return r, nil
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return r, usagef("explain: the URL begins neither with http:// or https:// nor with a slash")
	}
	r.Scheme, r.Host, r.URI = scheme, rest, "/"
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		r.Host, r.URI = rest[:at], rest[at:]
	}
	if strings.HasPrefix(r.URI, "?") {
		r.URI = "/" + r.URI
	}
	return r, nil
}

// explanation is a decision on one line: outcome, status, reason, and the rule.
func explanation(d *gate.Decision, rules []gate.Rule) string {
	outcome := "error"
	switch d.Outcome {
	case gate.Allow:
		outcome = "allow"
	case gate.Deny, gate.Redirect:
		outcome = "deny"
	}
	line := fmt.Sprintf("%s %d %s", outcome, d.Status, d.Reason)
	if d.Detail != "" {
		line += " " + d.Detail
	}
	switch {
	case d.Rule > 0 && d.Rule <= len(rules):
		return fmt.Sprintf("%s (rule %d: %s)", line, d.Rule, rules[d.Rule-1])
	case d.Reason == gate.ReasonPathAmbiguous:
		return line
	case len(rules) == 0:
		return line + " (no rules: a login is needed)"
	}
	return line + " (no rule fits: a login is needed)"
}
