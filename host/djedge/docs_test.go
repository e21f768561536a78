package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

const docsPath = "../../docs/config.md"

// configDocs is docs/config.md, made of the options.
func configDocs() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made from host/djedge/settings.go by its test; DJEDGE_TEST_UPDATE=1 go test ./host/djedge writes it again. -->

Every setting of ` + "`djedge serve`" + ` may be given as a flag, as an environment variable, or in the TOML file that
` + "`--config`" + ` names; a flag wins over a variable, and a variable over the file. Unknown keys, and unknown variables that begin
with ` + "`DJEDGE_`" + `, refuse to start with exit code 78. An empty variable is as if it were not there.

A **secret** may also be given as the name of a file that holds it and perhaps a newline: ` + "`KEY_file`" + ` in the file,
` + "`--KEY-file`" + `, ` + "`DJEDGE_KEY_FILE`" + `. Giving both on one level is an error; a higher level replaces either.

A list is an array of strings in the file; in a flag or a variable it is separated by commas (` + "`secret_key_fallbacks`" + `
by newlines), and a flag may repeat. A duration is a string such as "5s".

## Rules

Without rules ` + "`/auth`" + ` asks for a login, whatever the request. With them it decides by the method and the path of the request that
the proxy asks about, which ` + "`serve.forwarded_headers`" + ` says where to find and ` + "`serve.trusted_proxies`" + ` from whom.

` + "```toml" + `
[serve]
forwarded_headers = "x-forwarded"
trusted_proxies = ["10.0.0.0/8"]

[[rule]]
path = "/public/"
allow = "anyone"

[[rule]]
path = "/reports/"
methods = ["GET"]
allow = "permission:reports.view_report"

[[rule]]
path = "/reports/"
allow = "group:Editors of reports"
` + "```" + `

| key | meaning |
| --- | --- |
| ` + "`path`" + ` | prefix by whole segments, as in a URL: ` + "`/reports/` and `/reports`" + ` fit /reports and everything under it, and not /reports2. There are no patterns |
| ` + "`methods`" + ` | the methods that the rule is for, in capital letters; GET is for HEAD too. All when it is not given |
| ` + "`allow`" + ` | ` + "`anyone`, `authenticated`, `staff`, `superuser`, `permission:app.codename` or `group:name`" + ` |

The first rule that fits decides, and **a request that none fits needs a login**. A path that servers may read differently is denied (403,
` + "`path_ambiguous`" + `) whatever the rules are: one with ` + "`//`, `.` or `..`, `;`, `\\`" + `, an encoded slash, percent sign, question mark or number sign, a control
character, something that is not UTF-8, or what differs from a rule's path in case, Unicode's compatibility forms, or dots and blanks at the end of a segment only. Rules that no request
can reach are refused at the start. ` + "`--rule`" + ` and ` + "`DJEDGE_RULE`" + ` (one rule on each line) take a rule as ` + "`METHODS PATH REQUIREMENT`" + `, with ` + "`*`" + ` for all methods.

` + "```" + `
$ djedge explain GET https://example.com/reports/ --session 3x9… --config djedge.toml
deny 403 permission_missing reports.view_report (rule 2: GET /reports/ permission:reports.view_report)
user "bob", id 7
` + "```" + `

` + "`djedge explain`" + ` only reads; its exit code is 0 when the request may pass, else 1.

## Forms

The endpoints of ` + "`serve.api`" + ` that take JSON take forms (application/x-www-form-urlencoded) too, with Django's token in ` + "`csrfmiddlewaretoken`" + ` or
in its header, checked as CsrfViewMiddleware does. They answer with a redirect to the field ` + "`next`" + `, when that is a path or on a host of ` + "`serve.public_origins`" + `, else
to ` + "`/`" + `. So a page of the Django site on the same host can post its login form here.
`)
	table := ""
	c := new(config)
	for _, o := range c.options() {
		if o.table != table {
			table = o.table
			fmt.Fprintf(&b, "\n## [%s]\n\n| key | flag and variable | default | meaning |\n| --- | --- | --- | --- |\n", table)
		}
		if o.table == "" {
			continue // --config itself
		}
		names := "`--" + o.flagName() + "`"
		if o.secret {
			names = "`--" + o.flagName() + "-file`"
			if o.public {
				names = "`--" + o.flagName() + "`, " + names
			}
		}
		names += " `" + o.variable() + "`"
		secret := ""
		if o.secret {
			names += " `" + o.variable() + "_FILE`"
			secret = "**Secret.** "
		}
		def := o.def
		if def != "" {
			def = "`" + def + "`"
		}
		// In flag's usage, back-quotes name the value.
		_, doc := flag.UnquoteUsage(&flag.Flag{Usage: o.doc})
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s%s |\n", o.key, names, def, secret, cmp.Or(doc, o.doc))
	}
	return b.String()
}

func TestConfigDocs(t *testing.T) {
	want := []byte(configDocs())
	if os.Getenv("DJEDGE_TEST_UPDATE") != "" {
		if err := os.WriteFile(docsPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(docsPath)
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("docs/config.md is not what settings.go says (%v); DJEDGE_TEST_UPDATE=1 go test ./host/djedge -run TestConfigDocs writes it", err)
	}
}

// TestOptions finds mistakes in the table of settings.
func TestOptions(t *testing.T) {
	c := new(config)
	seen := map[string]bool{}
	for _, o := range c.options() {
		for _, name := range []string{o.variable(), o.table + "." + o.key} {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if strings.HasSuffix(o.key, fileSuffix) {
			t.Errorf("%s looks like the file of a secret", o.key)
		}
		if o.def != "" {
			if err := o.set(o.def); err != nil {
				t.Errorf("default of %s %v", o.key, err)
			}
		} else if o.isSwitch() || o.isNumber() {
			t.Errorf("%s has no default", o.key)
		}
	}
}
