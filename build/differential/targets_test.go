package differential

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// target is one function that both sides have.
type target struct {
	name   string
	oracle string // the function of oracle.py
	// input draws what Django is asked; ok is false for what is not worth asking.
	input func(r *rand.Rand, s seeds) (args map[string]any, ok bool)
	// ours answers the same. The reply is given since some questions are made by Django itself.
	ours func(rules *rules, c caseLine) (string, error)
	// same compares; nil compares JSON by value, and wants a refusal where Django raises.
	same func(c caseLine, ours string, err error) error
}

// targets is the table: a new function is a new entry.
func targets() []target {
	return []target{
		{"cookie_header", "cookie_header", textInput("cookie_header", "header", "header", []string{"sessionid=", "; ", `"`, `\"`, `\054`, `\3`, "csrftoken"}), evalWith("cookie_header"), nil},
		{"session_decode", "session_decode", sessionInput, evalWith("session_decode"), sameSession},
		{"json", "document", documentInput, evalDocument, sameSession},
		{"redirect", "redirect", redirectInput, evalWith("redirect"), sameRedirect},
		{"password", "password", passwordInput, evalWith("password_verify"), samePassword},
		{"username", "username", textInput("username", "username", "username", nil), evalWith("username"), sameUsername},
		{"email", "email", textInput("email", "email", "email", []string{"@", ".com", "xn--", "[127.0.0.1]", "[::1]", "localhost"}), evalWith("email"), sameEmail},
		{"pickle", "pickle_make", pickleInput, func(_ *rules, c caseLine) (string, error) { return unpickle(member(c.Answer, "b64")) }, samePickle},
		{"pickle-damaged", "pickle_load", damagedInput, func(_ *rules, c caseLine) (string, error) { return unpickle(c.text("b64")) }, sameDamaged},
	}
}

// caseLine is one question with Django's answer, as it is printed and kept.
type caseLine struct {
	Target  string          `json:"target"`
	Django  string          `json:"django"`
	Args    map[string]any  `json:"args"`
	Answer  json.RawMessage `json:"answer,omitempty"`
	Error   string          `json:"error,omitempty"`
	Hashers []string        `json:"hashers,omitempty"`
	Bcrypt  string          `json:"bcrypt,omitempty"`
}

func (c caseLine) text(arg string) string { s, _ := c.Args[arg].(string); return s }

// version is the feature release, as a number that can be compared.
func (c caseLine) version() float64 {
	parts := strings.SplitN(c.Django, ".", 3)
	n, _ := strconv.ParseFloat(parts[0]+"."+parts[1], 64)
	return n
}

func evalWith(function string) func(*rules, caseLine) (string, error) {
	return func(rules *rules, c caseLine) (string, error) { return rules.eval(function, withVersion(c)) }
}

func withVersion(c caseLine) map[string]any {
	args := map[string]any{"version": strconv.FormatFloat(c.version(), 'f', 1, 64)}
	for name, value := range c.Args {
		args[name] = value
	}
	if c.Target == "password" {
		args["hashers"], args["bcrypt"] = c.Hashers, json.RawMessage(c.Bcrypt)
	}
	if c.Target == "session_decode" || c.Target == "json" {
		args["salt"], args["fallbacks"] = "django.contrib.sessions.SessionStore", []string{}
	}
	return args
}

// evalDocument decodes the session data that Django made of a document.
func evalDocument(rules *rules, c caseLine) (string, error) {
	args := withVersion(c)
	args["session_data"] = member(c.Answer, "session_data")
	return rules.eval("session_decode", args)
}

func textInput(section, field, arg string, words []string) func(*rand.Rand, seeds) (map[string]any, bool) {
	return func(r *rand.Rand, s seeds) (map[string]any, bool) {
		text := mutate(r, s.text(r, section, field), s.text(r, section, field), words)
		return map[string]any{arg: text}, utf8.ValidString(text)
	}
}

func sessionInput(r *rand.Rand, s seeds) (map[string]any, bool) {
	vectors := s["session_data"]
	v := vectors[r.IntN(len(vectors))]
	var data, secret string
	if json.Unmarshal(v["session_data"], &data) != nil || json.Unmarshal(v["secret"], &secret) != nil || len(data) > 3000 {
		return nil, false
	}
	if r.IntN(4) > 0 {
		data = mutate(r, data, s.text(r, "session_data", "session_data"), []string{":", ".", "=", "e30"})
	}
	return map[string]any{"session_data": data, "secret": secret}, true
}

var jsonWords = []string{"null", "true", "false", "NaN", "Infinity", "-Infinity", "1e5", "1E+2", "-0", "0.1", "1e400", `"\ud83d\ude00"`, `"\ud800"`, `"\u0000"`, "[]", "{}", `{"a":1}`, ",", ":", `"`, `\u00e9`, "12345678901234567890", "5e-324",
	"1.7976931348623157e308", "0.30000000000000004", "[1,2]", " ", "\n", "1e22", "1e21", "123456789012345680.0", "2.5e-5", "0.0001", "0.00001"}

func documentInput(r *rand.Rand, s seeds) (map[string]any, bool) {
	text := s.text(r, "signing_dumps", "expected_json")
	if r.IntN(2) == 0 {
		text = s.text(r, "session_data", "expected_json")
	}
	switch r.IntN(3) {
	case 0:
		text = `{"v":` + jsonWords[r.IntN(len(jsonWords))] + "," + strings.TrimPrefix(text, "{")
	case 1:
		text = fmt.Sprintf(`{"f":%s,"g":%v}`, strconv.FormatFloat(floatBits(r), 'g', 1+r.IntN(20), 64), r.Int64()-r.Int64())
	}
	raw := []byte(mutate(r, text, s.text(r, "signing_dumps", "expected_json"), jsonWords))
	if r.IntN(8) == 0 {
		raw = mutateBytes(r, raw)
	}
	if r.IntN(3) == 0 {
		raw = []byte(text)
	}
	deep := strings.Count(string(raw), "[") + strings.Count(string(raw), "{")
	return map[string]any{"b64": base64.StdEncoding.EncodeToString(raw), "secret": "s3cret", "compress": r.IntN(4) == 0}, deep < 90 && len(raw) < 4000
}

func floatBits(r *rand.Rand) float64 {
	f := (r.Float64() - 0.5) * 10
	for range r.IntN(300) {
		if r.IntN(2) == 0 {
			f *= 10
		} else {
			f /= 7
		}
	}
	return f
}

func redirectInput(r *rand.Rand, s seeds) (map[string]any, bool) {
	words := []string{"http:", "https:", "//", "\\", "example.com", "evil.com", "@", "testserver", "[::1]", "\t", "\n", "///", "%2f"}
	url := mutate(r, s.text(r, "redirect", "url"), s.text(r, "redirect", "url"), words)
	return map[string]any{"url": url, "allowed_hosts": []string{"example.com", "testserver"}, "require_https": r.IntN(2) == 0}, utf8.ValidString(url)
}

func passwordInput(r *rand.Rand, s seeds) (map[string]any, bool) {
	vectors := s["hasher"]
	v := vectors[r.IntN(len(vectors))]
	var password, encoded string
	if json.Unmarshal(v["password"], &password) != nil || json.Unmarshal(v["encoded"], &encoded) != nil || !utf8.ValidString(password) {
		return nil, false
	}
	switch r.IntN(4) {
	case 0:
		password = mutate(r, password, s.text(r, "hasher", "password"), nil)
	case 1, 2:
		encoded = mutate(r, encoded, s.text(r, "hasher", "encoded"), []string{"$", "=", "argon2", "bcrypt", "$$", "v=19", "m=8,t=1,p=1", "md5$"})
	}
	return map[string]any{"password": password, "encoded": encoded}, cheap(encoded) && utf8.ValidString(encoded)
}

var digits = regexp.MustCompile(`\d+`)

// cheap: no field asks for much work, on either side. Zero means the default, which is not cheap.
func cheap(encoded string) bool {
	if len(encoded) > 400 {
		return false
	}
	fields := strings.Split(encoded, "$")
	if len(fields) > 1 {
		fields = fields[1:]
	}
	for i, field := range fields {
		limit := 5000
		switch {
		case strings.HasPrefix(encoded, "bcrypt") && i == 2:
			limit = 6
		case strings.HasPrefix(encoded, "argon2") && i > 3, strings.HasPrefix(encoded, "pbkdf2") && i > 0, i > 4:
			continue
		}
		for _, run := range digits.FindAllString(field, -1) {
			if n, err := strconv.Atoi(run); err != nil || n > limit || n == 0 && len(field) < 4 {
				return false
			}
		}
		for _, c := range field { // digits of other scripts count for Python
			if c > unicode.MaxASCII && unicode.IsDigit(c) {
				return false
			}
		}
	}
	return true
}

func pickleInput(r *rand.Rand, _ seeds) (map[string]any, bool) {
	return map[string]any{"seed": r.IntN(1 << 40)}, true
}

func damagedInput(r *rand.Rand, s seeds) (map[string]any, bool) {
	data, err := base64.StdEncoding.DecodeString(s.text(r, "pickle", "b64"))
	return map[string]any{"b64": base64.StdEncoding.EncodeToString(mutateBytes(r, data))}, err == nil && len(data) < 2000 && len(data) > 0
}

// --- comparing

func member(object json.RawMessage, name string) string {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(object, &m)
	var text string
	_ = json.Unmarshal(m[name], &text)
	return text
}

func sameValue(c caseLine, ours string, err error) error {
	if c.Error != "" {
		if err == nil {
			return fmt.Errorf("Django raises %s, we answer %.200s", c.Error, ours)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return sameJSON(ours, string(c.Answer))
}

func sameJSON(ours, django string) error {
	var a, b any
	if err := json.Unmarshal([]byte(ours), &a); err != nil {
		return fmt.Errorf("our answer %.200s is not JSON", ours)
	}
	if err := json.Unmarshal([]byte(django), &b); err != nil {
		return err
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("we answer %.300s, Django %.300s", ours, django)
	}
	return nil
}

// sameSession: what cannot be read is no session; sessions are compared as the text that Django would write again.
func sameSession(c caseLine, ours string, err error) error {
	want, got := "{}", "{}"
	if c.Error == "" {
		want = member(c.Answer, "json")
	}
	if err != nil && err != errRefused {
		return err
	}
	if err == nil {
		got = member(json.RawMessage(ours), "json")
	}
	if got != want {
		return fmt.Errorf("we read %.300q, Django %.300q", got, want)
	}
	return nil
}

// sameRedirect: we may refuse what browsers read otherwise, and what later Djangos refuse.
func sameRedirect(c caseLine, ours string, err error) error {
	dropped := strings.ContainsAny(c.text("url"), "\t\r\n")
	if err == nil && ours == `{"ok":false}` && dropped {
		return nil
	}
	if c.version() < 5 && (dropped || utf8.RuneCountInString(c.text("url")) > 2048 || oldScheme(c.text("url"))) {
		return nil
	}
	return sameValue(c, ours, err)
}

// oldScheme: Django before 5.0 took "1http:" for a scheme, and refused it; for browsers and later Djangos it is a path.
func oldScheme(url string) bool {
	scheme, _, ok := strings.Cut(strings.TrimSpace(url), ":")
	return ok && scheme != "" && !strings.ContainsAny(scheme, "/?#\\")
}

func samePassword(c caseLine, ours string, err error) error {
	if err == errRefused {
		ours, err = `{"ok":false}`, nil
	}
	if c.Error != "" {
		c.Error, c.Answer = "", json.RawMessage(`{"ok":false}`)
	}
	return sameValue(c, ours, err)
}

func sameUsername(c caseLine, ours string, err error) error {
	name := c.text("username")
	for _, r := range name { // the two sides know different versions of Unicode
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co) {
			return nil
		}
	}
	if string(c.Answer) == "null" || c.version() < 3 && strings.HasSuffix(name, "\n") {
		return nil
	}
	return sameValue(c, ours, err)
}

// sameEmail: the rules for addresses changed in Django 5.0 and later; only those are ours.
func sameEmail(c caseLine, ours string, err error) error {
	if c.version() < 5 {
		return nil
	}
	return sameValue(c, ours, err)
}

func samePickle(c caseLine, ours string, err error) error {
	if err != nil {
		return err
	}
	if want := member(c.Answer, "json"); ours != want {
		return fmt.Errorf("we read %.300q, Django %.300q", ours, want)
	}
	return nil
}

// sameDamaged: refusing is always right; what we do read, Python reads alike.
func sameDamaged(c caseLine, ours string, err error) error {
	if err != nil || string(c.Answer) == "null" || c.Error == "MemoryError" {
		return nil
	}
	if c.Error != "" {
		return fmt.Errorf("Python raises %s, we read %.300q", c.Error, ours)
	}
	if want := member(c.Answer, "json"); ours != want {
		return fmt.Errorf("we read %.300q, Python %.300q", ours, want)
	}
	return nil
}
