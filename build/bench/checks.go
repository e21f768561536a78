package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/bench/report"
	"github.com/djedge/djedge/build/wasmbuild"
)

// connections is how many requests are on their way at a time.
const connections = 32

// sample is one round of one row. Times are in microseconds of CPU for each request.
type sample struct{ server, database, rate, p50, p99, memory float64 }

func (s sample) total() float64 { return s.server + s.database }

// openSite installs and starts what rows need, and has the databases filled.
func (r *run) openSite(ctx context.Context, group *process.Group) (*site, error) {
	for _, name := range []string{"postgres", "bench-django"} {
		if err := r.install(ctx, name); err != nil {
			return nil, err
		}
	}
	s := &site{run: r}
	var err error
	if s.postgres, s.addr, err = r.startPostgres(ctx, group); err != nil {
		return nil, err
	}
	s.current, err = r.newPostgres(ctx, s.addr, "site", "bench-django", nil)
	return s, err
}

// checks is the part about requests with a session.
func (r *run) checks(ctx context.Context) error {
	var group process.Group
	defer group.Stop()
	s, err := r.openSite(ctx, &group)
	if err != nil {
		return err
	}
	if s.sqlite, err = r.newSQLite(ctx); err != nil {
		return err
	}
	if s.seedErr = errors.Join(r.install(ctx, "django32"), r.install(ctx, "bench-seed")); s.seedErr == nil {
		if s.old, err = r.newPostgres(ctx, s.addr, "old", "django32", map[string]any{"DEFAULT_HASHING_ALGORITHM": "sha1"}); err != nil {
			return err
		}
	}
	s.warnOfModule(ctx)
	samples, absent, err := s.measure(ctx, &group)
	if err != nil {
		return err
	}
	s.show(samples, absent)
	return nil
}

// warnOfModule says when djedge carries another module than that of these sources.
func (s *site) warnOfModule(ctx context.Context) {
	_, made, err := wasmbuild.Read(s.Root, wasmbuild.Djedge())
	if err == nil {
		var now string
		if now, err = wasmbuild.Inputs(ctx, s.Root, wasmbuild.Djedge()); err == nil && now == made {
			return
		}
	}
	s.Say("the row of the module engine is not of these sources: run make modules before")
}

// measure runs the rounds: every row in each, in another order.
func (s *site) measure(ctx context.Context, group *process.Group) (samples map[string][]sample, absent map[string]string, err error) {
	samples, absent = map[string][]sample{}, map[string]string{}
	running := map[string]*server{}
	var rows []row
	for _, row := range s.rows() {
		if !s.wanted(row) {
			continue
		}
		s.Say("starting %s", row.name)
		if !row.fresh {
			if running[row.name], err = row.start(ctx, group); err != nil {
				var missing errAbsent
				if !errors.As(err, &missing) {
					return nil, nil, fmt.Errorf("%s: %w", row.name, err)
				}
				absent[row.name] = missing.Error()
				continue
			}
		}
		rows = append(rows, row)
	}
	for round := range s.Rounds + 1 { // the first warms up
		s.Say("round %d of %d", round, s.Rounds)
		for _, i := range rand.Perm(len(rows)) {
			row := rows[i]
			var got sample
			if row.fresh {
				got, err = s.freshRound(ctx, row)
			} else {
				got, err = s.round(ctx, running[row.name], row.postgres, measure.Load{Duration: s.Duration})
			}
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", row.name, err)
			}
			if round > 0 {
				samples[row.name] = append(samples[row.name], got)
			}
		}
	}
	return samples, absent, nil
}

// freshRound starts a server, lets it warm up with other sessions, and asks it for every session once.
func (s *site) freshRound(ctx context.Context, row row) (sample, error) {
	var group process.Group
	defer group.Stop()
	server, err := row.start(ctx, &group)
	if err != nil {
		return sample{}, err
	}
	warm := measure.Load{Addr: server.addr, Requests: server.spare, Connections: connections, Once: true}
	if _, err := warm.Run(ctx); err != nil {
		return sample{}, err
	}
	return s.round(ctx, server, row.postgres, measure.Load{Once: true})
}

// round sends a load and counts what it costs.
func (s *site) round(ctx context.Context, server *server, database bool, load measure.Load) (sample, error) {
	load.Addr, load.Requests, load.Connections = server.addr, server.requests, connections
	cost := func() (own, db process.Cost, err error) {
		if own, err = process.Tree(server.PID); err != nil {
			return own, db, err
		}
		if database {
			db, err = process.Tree(s.postgres.PID)
		}
		return own, db, err
	}
	ownBefore, dbBefore, err := cost()
	if err != nil {
		return sample{}, err
	}
	sent, err := load.Run(ctx)
	if err != nil {
		return sample{}, fmt.Errorf("%w\n%s", err, server.Tail())
	}
	ownAfter, dbAfter, err := cost()
	if err != nil {
		return sample{}, err
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(sent.Finished) }
	return sample{
		server:   each(ownAfter.CPU - ownBefore.CPU),
		database: each(dbAfter.CPU - dbBefore.CPU),
		rate:     float64(sent.Finished) / sent.Elapsed.Seconds(),
		p50:      measure.Percentile(sent.Millis, 50),
		p99:      measure.Percentile(sent.Millis, 99),
		memory:   float64(ownAfter.Memory) / 1e6,
	}, nil
}

// medians is the median of each column; NaN without samples.
func medians(samples []sample) sample {
	column := func(get func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = get(s)
		}
		return measure.Median(values)
	}
	return sample{
		server:   column(func(s sample) float64 { return s.server }),
		database: column(func(s sample) float64 { return s.database }),
		rate:     column(func(s sample) float64 { return s.rate }),
		p50:      column(func(s sample) float64 { return s.p50 }),
		p99:      column(func(s sample) float64 { return s.p99 }),
		memory:   column(func(s sample) float64 { return s.memory }),
	}
}

// show reports the rows, each compared with ours.
func (s *site) show(samples map[string][]sample, absent map[string]string) {
	t := report.Table{
		Title:   "Checks",
		Columns: []string{"", "CPU µs, server", "PostgreSQL", "total ÷ ours", "requests/s", "p50 ms", "p99 ms", "memory MB"},
		Note: fmt.Sprintf("A request with one of %d sessions over %d kept connections; CPU for each request, of the server's processes and of PostgreSQL's. Medians of %d rounds of %v, "+
			"every row in each round, in random order. Where nothing else is said the answer is /api/me: session and user are read from PostgreSQL, and every answer was checked. "+
			"Ours is the row %q.", s.Sessions, connections, s.Rounds, s.Duration, rowDjedge),
	}
	ours := medians(samples[rowDjedge])
	for _, row := range s.rows() {
		if why := absent[row.name]; why != "" {
			t.Add(row.name, "not measured: "+why, "", "", "", "", "", "")
			continue
		}
		if len(samples[row.name]) == 0 {
			continue
		}
		m := medians(samples[row.name])
		database := "–"
		if row.postgres {
			database = report.Number(m.database)
		}
		t.Add(row.name, report.Number(m.server), database, report.Number(m.total()/ours.total()),
			fmt.Sprintf("%.0f", m.rate), report.Number(m.p50), report.Number(m.p99), report.Number(m.memory))
		if row.name != rowDjedge {
			s.Result(row.name+" ÷ djedge, total CPU", m.total()/ours.total(), report.Times)
		}
	}
	s.Table(t)
	m := func(name string) sample { return medians(samples[name]) }
	s.Result(report.SeedTotal, m(rowSeed).total()/ours.total(), report.Times)
	s.Result("djedge's Python package ÷ async-django-user, both with aiohttp, CPU of the server", m(rowPython).server/m(rowSeed).server, report.Times)
	s.Result(report.DjangoTotal, m(rowGthread).total()/ours.total(), report.Times)
	s.Result(report.SeedNeverSeen, m(rowSeed).total()/m(rowNeverSeen).total(), report.Times)
	s.Result(report.HelloDatabase, ours.server/m(rowHello).server, report.Times)
	s.Result(report.HelloCookies, m(rowCookies).server/m(rowHello).server, report.Times)
	s.Result(report.ModuleRequest, m(rowModule).total()/ours.total(), report.Times)
	s.Result(report.DjangoSQLite, m(rowDjangoSQLite).total()/m(rowSQLite).total(), report.Times)
	s.Result(report.Memory, ours.memory/m(rowSeed).memory, report.Times)
}
