package host

import (
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
)

// What the rules hear of a zone is what Go's database of zones says.
func TestZoneOffsets(t *testing.T) {
	for _, name := range []string{
		"UTC", "America/Chicago", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Asia/Kolkata", "Africa/Casablanca", "Africa/Monrovia",
		"Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Antarctica/Troll", "Asia/Gaza", "America/St_Johns",
	} {
		want, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		offsets := zoneOffsets(want)
		got, err := djsession.ParseZone(name, offsets)
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, offsets)
		}
		if len(offsets) > 8<<10 {
			t.Errorf("%s: %d bytes", name, len(offsets))
		}
		for at := time.Unix(0, 0); at.Year() < zoneYears; at = at.Add(1013 * time.Minute) {
			a, b := at.In(want).Format("2006-01-02T15:04:05-07:00:00"), at.In(got).Format("2006-01-02T15:04:05-07:00:00")
			if a != b {
				t.Fatalf("%s: %s, want %s", name, b, a)
			}
		}
	}
}

func TestAddZone(t *testing.T) {
	for _, c := range []struct {
		config Config
		names  string
	}{
		{Config{}, ""},
		{Config{TimeZone: "UTC"}, "time_zone "},
		{Config{NotUseTZ: true}, "use_tz time_zone "},
		{Config{TimeZone: "Mars/Olympus"}, "error"},
		{Config{TimeZone: "Local"}, "error"},
		{Config{TimeZone: "../../etc/passwd"}, "error"},
	} {
		settings, err := c.config.addZone(nil)
		names := ""
		for _, s := range settings {
			names += s.Name + " "
		}
		if err != nil {
			names = "error"
		}
		if names != c.names {
			t.Errorf("%q %v: %s, %v", c.config.TimeZone, c.config.NotUseTZ, names, err)
		}
	}
}
