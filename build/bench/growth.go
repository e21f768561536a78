package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/bench/report"
)

// Room that ten million rows need while they are made, their indexes and the log of it all included.
const roomForGrowth = 8 << 30

// growth is the part about many sessions.
func (r *run) growth(ctx context.Context) error {
	var group process.Group
	defer group.Stop()
	s, err := r.openSite(ctx, &group)
	if err != nil {
		return err
	}
	sizes := []int{10, 1_000, 100_000, 10_000_000}
	whole := true
	if free, err := process.FreeDisk(r.dir); err == nil && free < roomForGrowth {
		r.Say("only %d MB of disk are free: a million sessions at most", free/1e6)
		sizes[len(sizes)-1], whole = 1_000_000, false
	}
	servers := make([]*server, len(sizes))
	for i, size := range sizes {
		r.Say("%d sessions", size)
		db, err := s.grown(ctx, size)
		if err != nil {
			return err
		}
		if servers[i], err = s.startDjedge(ctx, &group, "djedge", db.url, "--engine", "native"); err != nil {
			return err
		}
		servers[i].ask("/api/me", db.sessions)
	}
	samples := make([][]sample, len(sizes))
	for round := range r.Rounds + 1 { // the first warms up
		r.Say("growth, round %d of %d", round, r.Rounds)
		for _, i := range rand.Perm(len(sizes)) {
			got, err := s.round(ctx, servers[i], true, measure.Load{Duration: r.Duration})
			if err != nil {
				return err
			}
			if round > 0 {
				samples[i] = append(samples[i], got)
			}
		}
	}
	t := report.Table{
		Title:   "Growth",
		Columns: []string{"sessions in the table", "CPU µs, server", "PostgreSQL", "total", "requests/s", "p99 ms"},
		Note: fmt.Sprintf("A djedge for each, native engine, on PostgreSQL. Requests come with as many sessions as there are, at most %d, spread over the table. "+
			"Medians of %d rounds of %v.", s.Sessions, r.Rounds, r.Duration),
	}
	least, most := math.Inf(1), 0.0
	for i, size := range sizes {
		m := medians(samples[i])
		t.Add(strconv.Itoa(size), report.Number(m.server), report.Number(m.database), report.Number(m.total()), fmt.Sprintf("%.0f", m.rate), report.Number(m.p99))
		r.Result(fmt.Sprintf("CPU of a check with %d sessions", size), m.total(), report.Micros)
		least, most = min(least, m.total()), max(most, m.total())
	}
	r.Table(t)
	if !whole { // the goal is about ten million
		r.Say("from 10 to %d sessions the cost differs by %.1f %%; ten million were not measured", sizes[len(sizes)-1], (most/least-1)*100)
		return nil
	}
	r.Result(report.Growth, (most/least-1)*100, report.Percent)
	return nil
}

// grown is a copy of the site with so many sessions: real ones, and beyond those rows that nobody asks for between them.
func (s *site) grown(ctx context.Context, size int) (*database, error) {
	name := "growth" + strconv.Itoa(size)
	if err := execute(ctx, postgresURL(s.addr, "postgres"), "CREATE DATABASE "+name+" TEMPLATE site"); err != nil {
		return nil, err
	}
	db := &database{url: postgresURL(s.addr, name), sessions: slices.Clone(s.measured(s.current)[:min(size, s.Sessions)])}
	// Every step-th row is a real one.
	step := max(size/len(db.sessions), 1)
	sql := []string{
		"CREATE TEMPORARY TABLE kept (n int, key text)",
		"INSERT INTO kept (key, n) SELECT * FROM unnest(" + literals(db.sessions) + ") WITH ORDINALITY",
		"CREATE TEMPORARY TABLE real AS SELECT n, s.* FROM kept JOIN django_session s ON s.session_key = kept.key",
		// Indexes are made anew below, and a table that was emptied in the same transaction is filled without a log.
		`DO $$ DECLARE definitions text[]; d text; i record; BEGIN
			SELECT array_agg(indexdef) INTO definitions FROM pg_indexes WHERE tablename = 'django_session' AND indexname NOT LIKE '%pkey';
			FOR i IN SELECT indexname FROM pg_indexes WHERE tablename = 'django_session' AND indexname NOT LIKE '%pkey' LOOP
				EXECUTE format('DROP INDEX %I', i.indexname);
			END LOOP;
			ALTER TABLE django_session DROP CONSTRAINT django_session_pkey;
			TRUNCATE django_session;
			INSERT INTO django_session (session_key, session_data, expire_date)
				SELECT coalesce(r.session_key, md5(g::text)), coalesce(r.session_data, 'filler'), coalesce(r.expire_date, now() + interval '14 days')
				FROM generate_series(1, ` + strconv.Itoa(max(size, len(db.sessions))) + `) g
				LEFT JOIN real r ON g % ` + strconv.Itoa(step) + ` = 0 AND r.n = g / ` + strconv.Itoa(step) + `;
			ALTER TABLE django_session ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);
			FOREACH d IN ARRAY definitions LOOP EXECUTE d; END LOOP;
		END $$`,
		"VACUUM ANALYZE django_session", "VACUUM ANALYZE auth_user", "CHECKPOINT",
	}
	return db, execute(ctx, db.url, sql...)
}

// literals is the keys of sessions as an array in SQL; Django's keys are letters and digits.
func literals(sessions []session) string {
	b := []byte("ARRAY[")
	for i, v := range sessions {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '\'')
		b = append(b, v.key...)
		b = append(b, '\'')
	}
	return string(append(b, "]::text[]"...))
}
