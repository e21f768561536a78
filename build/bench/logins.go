package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/bench/report"
)

// The flood of logins, beside checks at a steady rate.
const (
	floodConnections = 4
	checksEach       = 100 // second
)

// login is one server in an idle and in a flooded phase.
type login struct {
	name, result string
	server       *server
	idle, busy   []float64 // p99 of each round
	p50          []float64 // flooded
	logins       []float64 // for each second
}

// logins is the part about checks while people log in.
func (r *run) logins(ctx context.Context) error {
	var group process.Group
	defer group.Stop()
	s, err := r.openSite(ctx, &group)
	if err != nil {
		return err
	}
	django, err := s.startDjango(ctx, &group, "django", s.current, gunicorn("gthread"))
	if err != nil {
		return err
	}
	djedge, err := s.startDjedge(ctx, &group, "djedge", s.current.url, "--engine", "native",
		"--limit-password-requests", "0", "--limit-user-failures", "0", "--hash-queue-timeout", "1m")
	if err != nil {
		return err
	}
	all := []*login{
		{name: rowGthread, result: report.LoginsDjango, server: django.ask("/api/me", s.measured(s.current))},
		{name: rowDjedge, result: report.LoginsDjedge, server: djedge.ask("/api/me", s.measured(s.current))},
	}
	rounds := min(s.Rounds, 3)
	for round := range rounds + 1 { // the first warms up
		r.Say("logins, round %d of %d", round, rounds)
		for _, i := range rand.Perm(len(all)) {
			if err := s.flood(ctx, all[i], round == 0); err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
		}
	}
	t := report.Table{
		Title:   "Checks while people log in",
		Columns: []string{"", "p99 ms, idle", "under logins", "ratio", "p50 ms under logins", "logins/s"},
		Note: fmt.Sprintf("%d checks a second, and %d connections that log in without a pause (PBKDF2-SHA256, 1,000,000 iterations). A check that waits for a "+
			"connection counts from when it should have begun. Medians of %d rounds of %v.", checksEach, floodConnections, rounds, 3*s.Duration),
	}
	for _, l := range all {
		idle, busy := measure.Median(l.idle), measure.Median(l.busy)
		t.Add(l.name, report.Number(idle), report.Number(busy), report.Number(busy/idle), report.Number(measure.Median(l.p50)), report.Number(measure.Median(l.logins)))
		r.Result(l.result, busy/idle, report.Times)
	}
	r.Table(t)
	return nil
}

// flood measures one server idle, and then under logins.
func (s *site) flood(ctx context.Context, l *login, warm bool) error {
	checks := measure.Load{Addr: l.server.addr, Requests: l.server.requests, Connections: connections, Duration: 3 * s.Duration, Rate: checksEach}
	flood := measure.Load{Addr: l.server.addr, Connections: floodConnections, Duration: checks.Duration}
	for i, v := range s.measured(s.current) {
		body := fmt.Sprintf(`{"username":%q,"password":%q}`, v.username, userPassword)
		if flood.Requests = append(flood.Requests, measure.NewPost(l.server.addr, "/api/login", body, 200)); i == 100 {
			break
		}
	}
	if warm {
		checks.Duration, flood.Duration = s.Duration, s.Duration
	}
	idle, err := checks.Run(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, l.server.Tail())
	}
	type outcome struct {
		sent measure.Sent
		err  error
	}
	flooded := make(chan outcome, 1)
	go func() {
		sent, err := flood.Run(ctx)
		flooded <- outcome{sent, err}
	}()
	busy, err := checks.Run(ctx)
	logins := <-flooded
	switch {
	case err != nil:
		return fmt.Errorf("under logins: %w\n%s", err, l.server.Tail())
	case logins.err != nil:
		return fmt.Errorf("logging in: %w\n%s", logins.err, l.server.Tail())
	case warm:
		return nil
	}
	l.idle = append(l.idle, measure.Percentile(idle.Millis, 99))
	l.busy = append(l.busy, measure.Percentile(busy.Millis, 99))
	l.p50 = append(l.p50, measure.Percentile(busy.Millis, 50))
	l.logins = append(l.logins, float64(logins.sent.Finished)/logins.sent.Elapsed.Seconds())
	return nil
}
