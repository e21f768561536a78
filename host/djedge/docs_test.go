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
