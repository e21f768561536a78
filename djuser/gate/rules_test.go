package gate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
)

// list makes a rule list of its flat form.
func list(tb testing.TB, lines ...string) []gate.Rule {
	tb.Helper()
	rules := make([]gate.Rule, len(lines))
	for i, line := range lines {
		var err error
		if rules[i], err = gate.ParseRule(line); err != nil {
			tb.Fatalf("%q: %v", line, err)
		}
		if again := rules[i].String(); again != line {
			tb.Errorf("%q is written %q", line, again)
		}
	}
	return rules
}

func get(uri string) gate.Request { return gate.Request{Method: "GET", URI: uri} }

func TestResolve(t *testing.T) {
	g := mustNew(t, gate.Settings{Rules: list(t,
		"* /public/ anyone",
		"GET /reports permission:reports.view_report",
		"POST,PUT /reports/ permission:reports.change_report",
		"* /reports/archive/ staff",
		"* /caf%C3%A9/ group:Baristas of the house",
		"HEAD /heads superuser",
	)})
	if !g.HasRules() || !g.NeedsGrants() {
		t.Error("the rules are not there")
	}
	const other = gate.Authenticated
	for _, c := range []struct {
		method, uri string
		want        gate.Requirement
		rule        int
	}{
		{"GET", "/public/", gate.Anyone, 1},
		{"GET", "/public", gate.Anyone, 1},
		{"GET", "/public/a/b.css?v=1", gate.Anyone, 1},
		{"DELETE", "/public/x", gate.Anyone, 1},
		{"GET", "/publicity/", other, 0},
		{"GET", "/public2", other, 0},
		{"GET", "/x/public/", other, 0},
		{"GET", "/", other, 0},
		{"GET", "/?/public/", other, 0},
		{"GET", "/p%75blic/", gate.Anyone, 1},
		{"GET", "/reports/7", gate.Permission("reports.view_report"), 2},
		{"HEAD", "/reports/7", gate.Permission("reports.view_report"), 2}, // HEAD is a GET without its body
		{"get", "/reports/7", gate.Permission("reports.view_report"), 2},  // as Django reads it
		{"POST", "/reports/", gate.Permission("reports.change_report"), 3},
		{"PUT", "/reports/archive/1", gate.Permission("reports.change_report"), 3}, // the first that fits
		{"DELETE", "/reports/archive/1", gate.Staff, 4},
		{"DELETE", "/reports/1", other, 0},
		{"GET", "/café/x", gate.Group("Baristas of the house"), 5},
		{"GET", "/caf%c3%a9", gate.Group("Baristas of the house"), 5},
		{"HEAD", "/heads", gate.Superuser, 6},
		{"GET", "/heads", other, 0},
		{"GET", "/wiki/etc.", other, 0},
	} {
		got, rule, err := g.Resolve(gate.Request{Method: c.method, URI: c.uri}, gate.ByRules)
		if err != nil || got != c.want || rule != c.rule {
			t.Errorf("%s %s: %s by rule %d, %v; want %s by rule %d", c.method, c.uri, got, rule, err, c.want, c.rule)
		}
	}
	// What is asked for by name is not looked up, whatever the path.
	if got, rule, err := g.Resolve(get("//"), gate.Staff); got != gate.Staff || rule != 0 || err != nil {
		t.Error(got, rule, err)
	}
	bare := mustNew(t, gate.Settings{})
	if got, rule, err := bare.Resolve(get("//"), gate.ByRules); got != gate.Authenticated || rule != 0 || err != nil {
		t.Error(got, rule, err)
	}
}

// Every way that servers were made to read another path than the one whose
// rule let a request pass.
func TestAmbiguousPaths(t *testing.T) {
	g := mustNew(t, gate.Settings{Rules: list(t, "* /public anyone", "* /admin superuser", "* /caf%C3%A9 staff", "* / anyone")})
	for name, uris := range map[string][]string{
		"empty segments":      {"//", "//public", "/public//", "/public//x", "//evil.test/public", "/public/x//"},
		"dots":                {"/public/..", "/public/../admin", "/./admin", "/public/.", "/..", "/public/../../admin/"},
		"encoded dots":        {"/public/%2e%2e/admin", "/public/.%2E/admin", "/%2e/admin", "/public/%2e"},
		"trimmed dots":        {"/public/..%20/admin/", "/public/.%20./admin", "/public/.../admin", "/public/%20/admin", "/...", "/public/..%20"},
		"compatible dots":     {"/public/%E2%80%A5/admin/", "/public/%EF%BC%8E%EF%BC%8E/admin", "/%EF%BC%8E/admin/"},
		"compatible others":   {"/public/..%EF%BC%8Fadmin/", "/public/%EF%BC%852e%EF%BC%852e/x", "/public/%EF%BC%9B/x", "/public/a%EF%BC%9Fb"},
		"invisible":           {"/ad%E2%80%8Bmin/", "/public/%C2%ADx", "/public/%E2%80%AE"},
		"encoded slashes":     {"/public%2fx", "/public/..%2fadmin", "/public%2F..%2Fadmin", "/%2fadmin"},
		"backslashes":         {`/public\..\admin`, "/public/..%5cadmin", `/\evil.test`, "/%5cadmin"},
		"parameters":          {"/public;x", "/public;/../admin", "/admin;jsessionid=1", "/public/..;/admin", "/public%3bx", "/admin%3B"},
		"encoded twice":       {"/public/%252e%252e/admin", "/%2561dmin", "/public%252fadmin", "/100%25"},
		"no escape":           {"/public/%", "/public/%2", "/public/%zz", "/%u0061dmin", "/100%"},
		"ends of a path":      {"/public#/../admin", "/admin#", "/public%23", "/public%3f", "/admin%3Fx"},
		"control characters":  {"/admin%00", "/public%00/../admin", "/public\x00", "/public%0a", "/public%0d%0aX: y", "/public\t", "/admin%7f", "/public%c2%85", "/public x"},
		"not UTF-8":           {"/public/%c0%ae%c0%ae/admin", "/%ff", "/public/%ed%a0%80", "/caf\xe9"},
		"case":                {"/Admin", "/ADMIN/x", "/aDmin", "/%41dmin", "/Public", "/CAFÉ", "/caf%C3%89/"},
		"compatibility forms": {"/ａdmin", "/cafe\u0301", "/adm\u0131n", "/adm\u0130n", "/pub\u217cic"},
		"ends of a name":      {"/admin.", "/admin%20", "/admin../x", "/admin.%20."},
		"no path":             {"", "*", "?/public", "public", "http://example.com/public", "example.com:443", "#"},
	} {
		for _, uri := range uris {
			for _, query := range []string{"", "?", "?next=/public/"} {
				got, rule, err := g.Resolve(get(uri+query), gate.ByRules)
				if reasonOf(err) != gate.ReasonPathAmbiguous {
					t.Errorf("%s: %q needs %s by rule %d", name, uri+query, got, rule)
				}
			}
		}
	}
	for _, method := range []string{"", "GET POST", "G\x00T", "GÉT", "GET,POST"} {
		if _, _, err := g.Resolve(gate.Request{Method: method, URI: "/public"}, gate.ByRules); reasonOf(err) != gate.ReasonPathAmbiguous {
			t.Errorf("method %q: %v", method, err)
		}
	}
	for _, uri := range []string{"/", "/public/", "/a.b/c..d/e...", "/a%20b/", "/a+b,c=d:e@f!$&'()*~", "/日本/", "/%E6%97%A5", "/x?a=//&b=../..;%2f#", "/.well-known/"} {
		if _, _, err := g.Resolve(get(uri), gate.ByRules); err != nil {
			t.Errorf("%q is refused: %v", uri, err)
		}
	}
}

func TestRefusedRules(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"* reports anyone", "rule 1 (reports): path: "},
		{"* /a//b anyone", "rule 1 (/a//b): path: "},
		{"* /a/../b anyone", "path: "},
		{"* /a%2fb anyone", "path: "},
		{"* /a;b anyone", "path: "},
		{"* /a?b anyone", "path: "},
		{"* /a#b anyone", "path: "},
		{"* /a/* anyone", "pattern"},
		{"* /a/{id} anyone", "pattern"},
		{"get /a anyone", `methods: "get" `},
		{"GET, /a anyone", `methods: "" `},
		{"GET,* /a anyone", `methods: "*" `},
		{"* /a everybody", `allow: "everybody" `},
		{"* /a ", `allow: "" `},
		{"* /a rules", `allow: "rules" `},
		{"* /a Staff", `allow: "Staff" `},
		{"* /a permission:", "names no permission"},
		{"* /a permission:view", "names no permission"},
		{"* /a permission:.view", "names no permission"},
		{"* /a permission:a.", "names no permission"},
		{"* /a permission:a.b c", "names no permission"},
		{"* /a group:", "names no group"},
		{"* /a group: x", "names no group"},
		{"* /a group:" + strings.Repeat("x", 151), "names no group"},
		// A rule that no request reaches lets in, or keeps out, the wrong ones.
		{"* / anyone\n* /admin staff", "rule 2 (/admin): is never reached, because rule 1 (/) comes first"},
		{"* /a anyone\n* /b anyone\n* /a/ staff", "rule 3 (/a/): is never reached, because rule 1 (/a) comes first"},
		{"GET,POST /a anyone\nHEAD,POST /a/b staff", "rule 2 (/a/b): is never reached"},
		{"* /a anyone\n* /A staff", "rule 2 (/A): the path differs from that of rule 1 in case"},
		{"* /a/b anyone\n* /A staff", "rule 2 (/A): the path differs"},
		{"* /a anyone\n* /%C3%A9/ staff\n* /e%CC%81 anyone", "rule 3 (/e%CC%81): the path differs"},
	} {
		var rules []gate.Rule
		for line := range strings.SplitSeq(c.lines, "\n") {
			r, err := gate.ParseRule(line)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		if _, err := gate.New(gate.Settings{Rules: rules}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.lines, err)
		}
	}
	for _, lines := range []string{"GET / anyone\n* / staff", "* /a/b anyone\n* /a staff\n* / superuser", "POST /a anyone\nPOST,PUT /a staff"} {
		if _, err := gate.New(gate.Settings{Rules: list(t, strings.Split(lines, "\n")...)}); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
	}
	for _, line := range []string{"", "*", "* /a", "GET"} {
		if _, err := gate.ParseRule(line); err == nil {
			t.Errorf("%q is a rule", line)
		}
	}
}

// granted is the grants of a user.
type granted struct{ permissions, groups string }

func (g granted) HasPerm(name string) bool {
	return strings.Contains(","+g.permissions+",", ","+name+",")
}
func (g granted) InGroup(name string) bool { return strings.Contains(","+g.groups+",", ","+name+",") }

func TestDecideByGrants(t *testing.T) {
	g := mustNew(t, gate.Settings{})
	who := &gate.Identity{ID: "1", Name: "ann", Superuser: true}
	has := granted{"reports.view_report", "readers"}
	for _, c := range []struct {
		require gate.Requirement
		want    gate.Reason
		detail  string
	}{
		{gate.Permission("reports.view_report"), gate.ReasonOK, ""},
		{gate.Permission("reports.View_report"), gate.ReasonPermissionMissing, "reports.View_report"},
		{gate.Permission("reports.add_report"), gate.ReasonPermissionMissing, "reports.add_report"},
		{gate.Group("readers"), gate.ReasonOK, ""},
		{gate.Group("Readers"), gate.ReasonNotInGroup, "Readers"}, // superuser or not
	} {
		d := g.Decide(gate.Request{}, c.require, who, gate.ReasonOK, has)
		if allowed := d.Outcome == gate.Allow && d.Status == 200; d.Reason != c.want || d.Detail != c.detail ||
			allowed != (c.want == gate.ReasonOK) || !allowed && (d.Status != 403 || d.Outcome != gate.Deny) {
			t.Errorf("%s: %+v", c.require, d)
		}
	}
}

// Whoever is let through by a rule is let through by it however the path is
// written, or not at all; and what is let through has no second reading.
func FuzzPathRule(f *testing.F) {
	for _, uri := range []string{
		"/public/", "/admin/x?y", "/Public", "/public/../admin", "/public/%2e%2e/admin", "//admin", "/admin;x", "/public%2f..%2fadmin", "/%61dmin",
		"/caf%C3%A9/", "/café", "/cafe\u0301/", "/public/%00", `/public\..\admin`, "/100%25", "/admin.", "/a%20b/%e6%97%a5", "/public#x", "/adm\u0131n",
	} {
		f.Add("GET", uri)
	}
	g := mustNew(f, gate.Settings{Rules: list(f, "* /public anyone", "GET /admin superuser", "* /admin staff", "* /caf%C3%A9/bar permission:a.b", "POST / group:g")})
	resolve := func(method, uri string) (string, error) {
		allow, rule, err := g.Resolve(gate.Request{Method: method, URI: uri}, gate.ByRules)
		return fmt.Sprint(allow, rule), err
	}
	f.Fuzz(func(t *testing.T, method, uri string) {
		got, err := resolve(method, uri)
		if err != nil {
			var denied *gate.Denied
			if !errors.As(err, &denied) || denied.Reason != gate.ReasonPathAmbiguous {
				t.Fatalf("%q: %v", uri, err)
			}
			return
		}
		path, _, _ := strings.Cut(uri, "?")
		decoded := decode(path)
		// No server finds another path in it by resolving, splitting or decoding again.
		if strings.ContainsAny(decoded, "\\;%#?\x00") || strings.Contains(decoded, "//") || decode(decoded) != decoded ||
			strings.Count(path, "/") != strings.Count(decoded, "/") || !strings.HasPrefix(decoded, "/") {
			t.Fatalf("%q was decided", uri)
		}
		for segment := range strings.SplitSeq(decoded, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q was decided", uri)
			}
		}
		same := map[string]string{
			"without a query":  path,
			"another query":    path + "?/../admin;x",
			"encoded":          encodeAll(decoded, "%%%02X"),
			"encoded in small": encodeAll(decoded, "%%%02x"),
			"a slash more":     strings.TrimSuffix(path, "/") + "/",
			"a slash less":     "/" + strings.Trim(path, "/"),
		}
		for name, other := range same {
			if again, err := resolve(method, other); err != nil || again != got {
				t.Fatalf("%q needs %s, and %s, %q, %s %v", uri, got, name, other, again, err)
			}
		}
		// In other letters it is the same rule's or nobody's, but for a path
		// that no rule names.
		for _, other := range []string{strings.ToUpper(decoded), strings.ToLower(decoded), strings.TrimSuffix(decoded, "/") + "."} {
			if again, err := resolve(method, encodeAll(other, "%%%02X")); err == nil && again != got {
				t.Fatalf("%q needs %s, and %q %s", uri, got, other, again)
			}
		}
	})
}

// decode is one percent-decoding, as lenient as servers are.
func decode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' && i+2 < len(s) {
			if n, err := fmt.Sscanf(s[i+1:i+3], "%02x", &c); n == 1 && err == nil && !strings.ContainsAny(s[i+1:i+3], " +-") {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// encodeAll escapes everything but slashes.
func encodeAll(s, format string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '/' {
			b.WriteByte('/')
		} else {
			fmt.Fprintf(&b, format, s[i])
		}
	}
	return b.String()
}

func ExampleGate_Resolve() {
	g, err := gate.New(gate.Settings{Rules: []gate.Rule{
		{Path: "/public/", Allow: gate.Anyone},
		{Path: "/reports/", Methods: []string{"GET"}, Allow: gate.Permission("reports.view_report")},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, uri := range []string{"/public/logo.svg", "/reports/7/?page=2", "/accounts/", "/public/../reports/7/"} {
		allow, rule, err := g.Resolve(gate.Request{Method: "GET", URI: uri}, gate.ByRules)
		fmt.Println(uri, allow, rule, err)
	}
	// Output:
	// /public/logo.svg anyone 1 <nil>
	// /reports/7/?page=2 permission:reports.view_report 2 <nil>
	// /accounts/ authenticated 0 <nil>
	// /public/../reports/7/  0 path_ambiguous: the path is ambiguous: it has a dot segment
}
