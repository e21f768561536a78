package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine is where a run took place.
type Machine struct {
	CPU, Kernel, Go string
	Processors      int
	Day             string
	Load            string // average of the minute before, "" when it is not known
}

// ThisMachine describes the computer that this program runs on, without naming it.
func ThisMachine(now time.Time) Machine {
	m := Machine{CPU: runtime.GOARCH, Kernel: runtime.GOOS, Go: runtime.Version(), Processors: runtime.NumCPU(), Day: now.UTC().Format(time.DateOnly)}
	b, _ := os.ReadFile("/proc/cpuinfo")
	cpu := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if name, value, found := strings.Cut(line, ":"); found {
			cpu[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	if cpu["model name"] != "" {
		m.CPU = fmt.Sprintf("%s (family %s, model %s)", cpu["model name"], cpu["cpu family"], cpu["model"])
		var has []string
		for _, flag := range strings.Fields(cpu["flags"]) {
			switch flag {
			case "sha_ni", "avx2", "avx512f", "hypervisor":
				has = append(has, flag)
			}
		}
		if len(has) > 0 {
			m.CPU += ", " + strings.Join(has, " ")
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		release, _, _ := strings.Cut(strings.TrimSpace(string(b)), "-")
		m.Kernel = "Linux " + release
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(b), " ")
	}
	return m
}

// Page is docs/benchmarks.md. Command is what was run, and notes are paragraphs for the end.
func (r *Report) Page(m Machine, command string, notes ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmarks\n\n<!-- Made by `%s`; DO NOT EDIT. -->\n\n", command)
	fmt.Fprintf(&b, "One run of `%s` on %s: %d processors, %s, %s, %s. Only figures of one run can be compared, "+
		"and those of other machines are other figures; the ratios are what stays.\n\n", command, m.Day, m.Processors, m.CPU, m.Kernel, m.Go)
	if m.Load != "" {
		fmt.Fprintf(&b, "Before it began the machine had a load of %s: with more than its processors can do, latencies say more about the others.\n\n", m.Load)
	}
	b.WriteString("## Goals\n\n| what | goal | reached | |\n| --- | --- | --- | --- |\n")
	reached := map[string]float64{}
	for _, result := range r.Results {
		reached[result.Name] = result.Ratio
	}
	for _, g := range Goals() {
		sign := "≥"
		if g.AtMost {
			sign = "≤"
		}
		value, measured := reached[g.Name]
		shown, verdict := Number(value), "not met"
		switch {
		case !measured:
			shown, verdict = "–", "not measured"
		case g.Met(value):
			verdict = "met"
		}
		fmt.Fprintf(&b, "| %s | %s %v | %s | %s |\n", g.What, sign, g.Bound, shown, verdict)
	}
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n## %s\n\n", t.Title)
		fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(t.Columns, " | "), " --- |"+strings.Repeat(" ---: |", len(t.Columns)-1))
		for _, row := range t.Rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
		if t.Note != "" {
			fmt.Fprintf(&b, "\n%s\n", t.Note)
		}
	}
	for _, note := range notes {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(note))
	}
	return b.String()
}
