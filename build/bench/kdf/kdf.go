// Package kdf measures how fast keys are derived from passwords: djedge's kernels natively and in WebAssembly engines,
// beside the libraries that Django uses. Every engine is a process that derives what a line tells it, in short rounds
// that alternate between all of them, and counts by its CPU time. A key that differs from Python's is an error.
package kdf

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/report"
)

// function is what is derived, with Django's costs; PBKDF2 with fewer iterations than Django's million.
type function struct {
	name, line string
	heavy      bool // takes Python some 200 ms, and others more
	two        bool // two passwords can be derived side by side
}

var functions = []function{
	{name: "pbkdf2_sha256", line: "pbkdf2_sha256 100000 0 0 0 0", two: true},
	{name: "pbkdf2_sha1", line: "pbkdf2_sha1 100000 0 0 0 0"},
	{name: "argon2id", line: "argon2id 2 102400 8 0 0", heavy: true},
	{name: "scrypt", line: "scrypt 0 0 5 16384 8", heavy: true},
}

// sideBySide is the name of the result of two passwords.
const sideBySide = "two passwords side by side"

// Run measures engines in rounds, of which the expensive functions take a third, and keeps logs in dir.
func Run(ctx context.Context, r *report.Report, dir string, engines []Engine, rounds int) error {
	var running []*engine
	defer func() {
		for _, e := range running {
			e.stop()
		}
	}()
	missing := map[string]string{}
	for _, e := range engines {
		if e.Missing != "" {
			missing[e.Name] = e.Missing
			continue
		}
		started, err := e.start(ctx, dir)
		if err != nil {
			return err
		}
		running = append(running, started)
	}
	millis, err := measureAll(ctx, running, rounds)
	if err != nil {
		return err
	}
	show(r, engines, millis, missing)
	return nil
}

// key names what was measured: a function by an engine.
type key struct{ function, engine string }

// measureAll is all times of each engine and function in milliseconds. The first round warms up.
func measureAll(ctx context.Context, engines []*engine, rounds int) (map[key][]float64, error) {
	millis := map[key][]float64{}
	for round := range rounds + 1 {
		for _, f := range functions {
			if f.heavy && round%3 != 0 && round != 1 {
				continue
			}
			line := fmt.Sprintf("%s password%d saltsaltsaltsalt%d", f.line, round, round)
			want, by := "", ""
			for _, i := range rand.Perm(len(engines)) {
				e := engines[i]
				if e.keys > 1 && !f.two {
					continue
				}
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				got, cpu, err := e.derive(line)
				if err != nil {
					return nil, err
				}
				if want == "" {
					want, by = got, e.name
				}
				if got != want {
					return nil, fmt.Errorf("%s: %s derives %s, %s %s", line, e.name, got, by, want)
				}
				if round > 0 {
					millis[key{f.name, e.name}] = append(millis[key{f.name, e.name}], float64(cpu.Nanoseconds())/1e6)
				}
			}
		}
	}
	return millis, nil
}

// show reports the best time of each, as the speed in Python's.
func show(r *report.Report, engines []Engine, millis map[key][]float64, missing map[string]string) {
	t := report.Table{
		Title:   "Keys from passwords",
		Columns: []string{"", "CPU ms, best", "median", "speed, Python = 1"},
		Note: "PBKDF2 with 100,000 iterations, argon2id with t=2 m=102400 p=8, scrypt with n=16384 r=8 p=5, as in Django 5.2. " +
			"Python is hashlib (OpenSSL) and argon2-cffi. Two passwords side by side: the time of one. Node runs the guest in V8.",
	}
	for _, f := range functions {
		baseline := measure.Best(millis[key{f.name, Baseline}])
		for _, e := range engines {
			name, shown := f.name+" "+e.Name, f.name+", "+e.Name
			if e.Keys > 1 {
				name, shown = sideBySide, f.name+", "+sideBySide
			}
			times := millis[key{f.name, e.Name}]
			switch {
			case missing[e.Name] != "":
				t.Add(shown, "not measured: "+missing[e.Name], "", "")
			case len(times) > 0:
				best := measure.Best(times)
				t.Add(shown, report.Number(best), report.Number(measure.Median(times)), report.Number(baseline/best))
				if e.Name != Baseline {
					r.Result(name, baseline/best, report.Times)
				}
			}
		}
	}
	r.Table(t)
}
