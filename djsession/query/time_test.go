package query

import (
	"testing"
	"time"
)

// The times of package time, both ways.
func TestTimeText(t *testing.T) {
	check := func(at time.Time) {
		t.Helper()
		want := at.Format(timeText)
		if at.Nanosecond() > 0 {
			want = at.Format(timeTextMicro)
		}
		if got := SQLite.Time(at).Text(); got != want {
			t.Fatalf("%v is written %q, want %q", at, got, want)
		}
		if got, ok := parseTime(want); !ok || got != Time(at) {
			t.Fatalf("%q is read as %v, %v", want, got.Time(), ok)
		}
	}
	for at := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() <= 9999; at = at.Add(37*24*time.Hour + 12345678*time.Microsecond) {
		check(at)
	}
	for year := 1890; year < 2110; year++ {
		for day := range 366 {
			check(time.Date(year, 1, 1+day, 23, 59, 59, 999999000*(day%2), time.UTC))
		}
	}
}

// What package time takes for no time in this form is none here.
func TestNoTimeText(t *testing.T) {
	for _, s := range []string{"", "2026-01-02", "2026-01-02 03:04", "2026-13-02 03:04:05", "2026-00-02 03:04:05", "2026-02-29 03:04:05",
		"1900-02-29 03:04:05", "2026-04-31 03:04:05", "2026-01-00 03:04:05", "2026-01-02 24:00:00", "2026-01-02 03:60:00", "2026-01-02 03:04:60",
		"2026-01-02 03:04:05.", "2026-01-02 03:04:05.x", "2026-01-02 03:04:05.1234567", "2026-01-02T03:04:05", "2026-01-0x 03:04:05", "+026-01-02 03:04:05",
		"2026-01-02 03:04:05Z", "2026-01-02 03:04:05,5"} {
		if v, ok := parseTime(s); ok {
			t.Errorf("%q is read as %v", s, v.Time())
		}
	}
	for s, micro := range map[string]int64{"2024-02-29 03:04:05.5": 500000, "2024-02-29 03:04:05.000001": 1, "2024-02-29 03:04:05.120": 120000} {
		want := time.Date(2024, 2, 29, 3, 4, 5, int(micro)*1000, time.UTC)
		if v, ok := parseTime(s); !ok || v != Time(want) {
			t.Errorf("%q is read as %v, %v", s, v.Time(), ok)
		}
	}
}

func FuzzTimeText(f *testing.F) {
	f.Add("2026-01-02 03:04:05.000006")
	f.Add("1999-02-29 23:59:59")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseTime(s)
		want, err := time.Parse("2006-01-02 15:04:05.999999", s)
		if ok && (err != nil || got != Time(want)) {
			t.Errorf("%q is read as %v, package time says %v, %v", s, got.Time(), want, err)
		}
	})
}
