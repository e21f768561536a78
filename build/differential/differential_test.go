package differential

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

var releases = []string{"5.2", "6.1", "4.2", "2.2", "3.2", "6.0"}

// TestAgainstDjango asks both sides the same for a while.
func TestAgainstDjango(t *testing.T) {
	components := os.Getenv("DJEDGE_TEST_COMPONENTS")
	if components == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("DJEDGE_TEST_COMPONENTS is not set, and CI does without no test")
		}
		t.Skip("DJEDGE_TEST_COMPONENTS is not set")
	}
	seconds, err := strconv.ParseFloat(cmp(os.Getenv("DJEDGE_DIFFERENTIAL_SECONDS"), "6"), 64)
	if err != nil {
		t.Fatal("DJEDGE_DIFFERENTIAL_SECONDS:", err)
	}
	seed, err := strconv.ParseUint(cmp(os.Getenv("DJEDGE_DIFFERENTIAL_SEED"), "1"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	seeds, rules := loadSeeds(t), newRules(t)
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			o := startOracle(t, components, release)
			if o == nil {
				if os.Getenv("CI") == "true" {
					t.Fatal("Django " + release + " is not installed (make components)")
				}
				t.Skip("Django " + release + " is not installed (make components)")
			}
			until := time.Now().Add(time.Duration(seconds / float64(len(releases)) * float64(time.Second)))
			compare(t, o, rules, seeds, rand.New(rand.NewPCG(seed, 0)), until)
		})
	}
}

// compare asks in turn for each target, until the time is over or enough was found.
func compare(t *testing.T, o *oracle, rules *rules, seeds seeds, r *rand.Rand, until time.Time) {
	asked, found := map[string]int{}, map[string]int{}
	all := targets()
	for time.Now().Before(until) {
		for _, target := range all {
			args, ok := target.input(r, seeds)
			if !ok || found[target.name] >= 5 {
				continue
			}
			started := time.Now()
			answer, err := o.ask(target.oracle, args)
			if d := time.Since(started); d > 2*time.Second {
				line, _ := json.Marshal(args)
				t.Logf("Django took %v for %s %s", d.Round(time.Second), target.name, line)
			}
			if err != nil {
				t.Fatalf("%s: %v", target.name, err)
			}
			asked[target.name]++
			c := caseLine{Target: target.name, Django: o.Django, Args: args, Answer: answer.Answer, Error: answer.Error}
			if target.name == "password" {
				c.Hashers, c.Bcrypt = o.Hashers, o.Bcrypt
			}
			if err := check(target, rules, c); err != nil {
				found[target.name]++
				line, _ := json.Marshal(c)
				t.Errorf("%s: %v\n%s", target.name, err, line)
			}
		}
	}
	t.Logf("Django %s: %v", o.Django, asked)
}

// check compares our answer with the one in the case.
func check(target target, rules *rules, c caseLine) error {
	ours, err := target.ours(rules, c)
	if target.same != nil {
		return target.same(c, ours, err)
	}
	return sameValue(c, ours, err)
}

// TestCases checks what was once answered differently, without Django.
func TestCases(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	rules := newRules(t)
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var c caseLine
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		all := targets()
		i := slices.IndexFunc(all, func(target target) bool { return target.name == c.Target })
		if i < 0 {
			t.Fatalf("line %d: there is no target %q", n, c.Target)
		}
		if err := check(all[i], rules, c); err != nil {
			t.Errorf("line %d: %v", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func cmp(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
