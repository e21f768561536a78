package host

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/step"
)

// ours are the fields that the rules need not know, or know in another form.
var ours = []string{"DB", "Storage", "Hasher", "SecretKey", "SecretKeyFallbacks", "Keys", "Engine", "KDF", "SessionSaltClass", "HintEntries", "QueryTimeout", "NotUseTZ", "TimeZone",
	"HashConcurrency", "HashMemory", "HashQueueTimeout", "MaxStaleness", "Logger"}

// others are settings whose name is not the field's.
var others = map[string]string{
	"DjangoVersion": "version", "PublicOrigins": "public_origin", "SessionCookieNotHTTPOnly": "session_cookie_httponly",
	"Rules": "rule", "SessionCookieSameSite": "session_cookie_samesite", "CSRFCookieSameSite": "csrf_cookie_samesite",
}

// Every field reaches the rules under its own name, and the rules know it.
func TestEveryFieldIsASetting(t *testing.T) {
	keys := signing.DeriveKeys("", "secret", nil)
	rules := reflect.TypeFor[Config]()
	for i := range rules.NumField() {
		field := rules.Field(i)
		if slices.Contains(ours, field.Name) || field.Name == "Limits" || field.Name == "PermissionTables" {
			continue
		}
		var c Config
		fill(t, reflect.ValueOf(&c).Elem().Field(i), field.Name)
		name := others[field.Name]
		if name == "" {
			name = snake(field.Name)
		}
		expectSetting(t, &c, &keys, name)
	}
	tables := reflect.TypeFor[djuser.PermissionTables]()
	for i := range tables.NumField() {
		var c Config
		name := tables.Field(i).Name
		fill(t, reflect.ValueOf(&c.PermissionTables).Elem().Field(i), name)
		if name = snake(name) + "_table"; name == "user_column_table" {
			name = "user_m2m_column"
		}
		expectSetting(t, &c, &keys, name)
	}
	limits := reflect.TypeFor[password.Limits]()
	for i := range limits.NumField() {
		var c Config
		fill(t, reflect.ValueOf(&c.Limits).Elem().Field(i), limits.Field(i).Name)
		expectSetting(t, &c, &keys, "limit_"+snake(limits.Field(i).Name))
	}
}

// expectSetting: c differs from the zero Config in one setting (and rehash).
func expectSetting(t *testing.T, c *Config, keys *signing.Keys, name string) {
	t.Helper()
	zero := new(Config).settings(query.SQLite, nil, keys)
	var more []string
	settings := c.settings(query.SQLite, nil, keys)
	for _, s := range settings {
		if !slices.Contains(zero, s) && s.Name != "rehash" {
			more = append(more, s.Name)
		}
	}
	if !slices.Equal(slices.Compact(more), []string{name}) {
		t.Errorf("%s: the settings are %v", name, more)
	}
	if _, err := step.Configure(settings); err != nil && strings.Contains(err.Error(), "not a setting") {
		t.Errorf("%s: %v", name, err)
	}
}

func fill(t *testing.T, field reflect.Value, name string) {
	t.Helper()
	switch value := field.Addr().Interface().(type) {
	case *string:
		*value = "value"
	case *[]string:
		*value = []string{"one", "two"}
	case *bool:
		*value = true
	case *int:
		*value = 4
	case *int64:
		*value = 4
	case *uint32:
		*value = 4
	case *[]gate.Rule:
		*value = []gate.Rule{{Path: "/", Allow: gate.Anyone}}
	case *time.Duration:
		*value = 4 * time.Second
	default:
		t.Fatalf("%s is a %s", name, field.Type())
	}
}

// snake is a name as the configuration file has it.
func snake(name string) string {
	runes := []rune(strings.NewReplacer("PBKDF2", "Pbkdf2", "CSRF", "Csrf").Replace(name))
	var b strings.Builder
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// A fallback must not become the current key, and no key gets lost.
func TestKeyRings(t *testing.T) {
	one, two := signing.Derive(signing.SHA256, "a", "1"), signing.Derive(signing.SHA256, "a", "2")
	var s settingList
	s.ring("alone", signing.Ring{Fallbacks: []signing.Key{one}})
	s.ring("both", signing.Ring{Current: two, Fallbacks: []signing.Key{one}})
	if len(s) != 2 || s[0].Value != two.Export() || s[1].Value != one.Export() {
		t.Errorf("settings %v", s)
	}
}
