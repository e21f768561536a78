package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

// accepted are the names whose settings the version takes.
func (p *probe) accepted(names []string, set func(*djsession.Settings, string)) (string, error) {
	var taken []string
	for _, name := range names {
		s := djsession.Settings{Version: p.version, Dialect: query.SQLite, Keys: p.keys}
		set(&s, name)
		if _, err := djsession.New(s); err == nil {
			taken = append(taken, name)
		}
	}
	return strings.Join(taken, "; "), nil
}

func (p *probe) serializers() (string, error) {
	return p.accepted([]string{"json", "pickle"}, func(s *djsession.Settings, name string) { s.Serializer = djsession.Serializer(name) })
}

// hashingAlgorithms: a dash where there is no choice.
func (p *probe) hashingAlgorithms() (string, error) {
	names, err := p.accepted([]string{"sha256", "sha1"}, func(s *djsession.Settings, name string) {
		s.DefaultHashingAlgorithm = map[string]signing.Algorithm{"sha256": signing.SHA256, "sha1": signing.SHA1}[name]
	})
	if !strings.Contains(names, ";") {
		names = "–"
	}
	return names, err
}

// firstName is how long a first name may be that is saved.
func (p *probe) firstName() (string, error) {
	longest := 0
	for n := 1; n <= 300; n++ {
		fields := []djuser.Field{{Column: "first_name", Value: query.Text(strings.Repeat("a", n))}}
		err := p.users.Save(context.Background(), probeEffects{}, "1", fields)
		var denied *gate.Denied
		switch {
		case err == nil:
			longest = n
		case !errors.As(err, &denied) || denied.Reason != gate.ReasonFieldInvalid:
			return "", err
		}
	}
	return fmt.Sprint(longest, " characters"), nil
}
