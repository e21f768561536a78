package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

// config is the whole configuration of `djedge serve`. Most of it is the
// host's own, field by field; [config.options] says how each is called.
type config struct {
	host host.Config

	database   string // URL
	cache      string // LOCATION
	filePath   string // SESSION_FILE_PATH
	secretKey  string
	keys       derivedKeys
	engine     string // wasm or native
	kdf        string // host or module
	hashBeside bool
	cacheDir   string

	listen, adminListen         string
	api                         []string
	demo                        bool
	trustedProxies              []string
	forwardedHeaders, loginURL  string
	passwordRequests            int
	userFailures                int
	logLevel, logFormat, config string
}

// derivedKeys are the rings of [signing.Keys] as text, the current key first.
type derivedKeys struct {
	session, sessionSHA1, sessionLegacy, cookie, cookieSHA1, authHash, authHashSHA1 []string
}

// option is one setting: its place in the file, and by its name also a flag
// and an environment variable.
type option struct {
	table string // of the configuration file; "" is not in it
	key   string
	to    any    // pointer to the field; see set
	def   string // default, as it would be written
	doc   string
	// secret: may be given as the name of a file that holds it (KEY_file,
	// --KEY-file, DJEDGE_KEY_FILE). Only with public has it a flag of its
	// own: everybody on a machine can read the arguments of a process.
	secret bool
	public bool
	name   string // instead of key, for flag and variable
}

// seconds is a duration written as a whole number of seconds, as in Django's
// settings. It is never 0, which would be the default to others.
type seconds time.Duration

// count is a number that cannot be negative.
type count int

// not is a switch whose field means the opposite.
type not bool

// lines is a list of secrets, which may hold commas: one on each line.
type lines []string

// flagName is the option's flag without the dashes.
func (o *option) flagName() string {
	name := o.name
	if name == "" {
		name = o.key
	}
	return strings.ReplaceAll(name, "_", "-")
}

// variable is the option's environment variable.
func (o *option) variable() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(o.flagName(), "-", "_"))
}

// isList reports whether the option takes several values.
func (o *option) isList() bool {
	switch o.to.(type) {
	case *[]string, *lines, *[]gate.Rule:
		return true
	}
	return false
}

// separator is what is between the values of a list.
func (o *option) separator() string {
	if _, ok := o.to.(*[]string); ok {
		return ","
	}
	return "\n"
}

// isSwitch reports whether the option is true or false.
func (o *option) isSwitch() bool {
	switch o.to.(type) {
	case *bool, *not:
		return true
	}
	return false
}

// isNumber reports whether the option is a whole number in the file.
func (o *option) isNumber() bool {
	switch o.to.(type) {
	case *int, *int64, *uint32, *count, *seconds:
		return true
	}
	return false
}

// set reads text into the option's field. The error does not repeat the text,
// which may be a secret.
func (o *option) set(text string) error {
	switch to := o.to.(type) {
	case *string:
		*to = text
	case *[]string:
		*to = split(text, ",")
	case *lines:
		*to = split(text, "\n")
	case *[]gate.Rule:
		list := split(text, "\n")
		*to = make([]gate.Rule, len(list))
		for i, line := range list {
			rule, err := gate.ParseRule(line)
			if err != nil {
				return fmt.Errorf("%d %w", i+1, err)
			}
			(*to)[i] = rule
		}
	case *bool:
		return number(to, strconv.ParseBool, text, "true or false")
	case *not:
		var value bool
		if err := number(&value, strconv.ParseBool, text, "true or false"); err != nil {
			return err
		}
		*to = not(!value)
	case *time.Duration:
		return number(to, time.ParseDuration, text, `a duration such as "5s"`)
	case *seconds:
		var n int64
		if err := number(&n, parseInt(53), text, "a whole number of seconds"); err != nil {
			return err
		}
		if n <= 0 || n > math.MaxInt32 {
			return fmt.Errorf("must be a number of seconds from 1 to %d", math.MaxInt32)
		}
		*to = seconds(time.Duration(n) * time.Second)
	case *count:
		var n int64
		if err := number(&n, parseInt(32), text, "a whole number"); err != nil {
			return err
		}
		if n < 0 {
			return fmt.Errorf("must not be negative")
		}
		*to = count(n)
	case *int:
		var n int64
		if err := number(&n, parseInt(32), text, "a whole number"); err != nil {
			return err
		}
		*to = int(n)
	case *int64:
		return number(to, parseInt(64), text, "a whole number")
	case *uint32:
		var n int64
		if err := number(&n, parseInt(33), text, "a whole number"); err != nil {
			return err
		}
		if n < 0 {
			return fmt.Errorf("must not be negative")
		}
		*to = uint32(n)
	default:
		return fmt.Errorf("has no kind") // a mistake in options, found by its test
	}
	return nil
}

func parseInt(bits int) func(string) (int64, error) {
	return func(s string) (int64, error) { return strconv.ParseInt(s, 10, bits) }
}

// number sets *to to what parse reads in text.
func number[T any](to *T, parse func(string) (T, error), text, want string) error {
	value, err := parse(strings.TrimSpace(text))
	if err != nil {
		return fmt.Errorf("must be %s", want)
	}
	*to = value
	return nil
}

// split is strings.Split without blanks around and empty parts.
func split(text, separator string) []string {
	parts := []string{}
	for _, part := range strings.Split(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// signingKeys parses the derived keys; nil when none is given.
func (k *derivedKeys) signingKeys() (*signing.Keys, error) {
	var keys signing.Keys
	given := false
	for _, ring := range []struct {
		name string
		text []string
		to   *signing.Ring
	}{
		{"key_session", k.session, &keys.Session},
		{"key_session_sha1", k.sessionSHA1, &keys.SessionSHA1},
		{"key_session_legacy", k.sessionLegacy, &keys.SessionLegacy},
		{"key_cookie", k.cookie, &keys.Cookie},
		{"key_cookie_sha1", k.cookieSHA1, &keys.CookieSHA1},
		{"key_auth_hash", k.authHash, &keys.AuthHash},
		{"key_auth_hash_sha1", k.authHashSHA1, &keys.AuthHashSHA1},
	} {
		for i, text := range ring.text {
			key, err := signing.ParseKey(text)
			if err != nil {
				return nil, configf("%s: %w", ring.name, err)
			}
			given = true
			if i == 0 {
				ring.to.Current = key
			} else {
				ring.to.Fallbacks = append(ring.to.Fallbacks, key)
			}
		}
	}
	if !given {
		return nil, nil
	}
	return &keys, nil
}
