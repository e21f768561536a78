package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	envPrefix = "DJEDGE_"
	// testPrefix is left to tests.
	testPrefix = envPrefix + "TEST_"

	fileSuffix    = "_file" // of the key of a secret
	maxSecretFile = 64 << 10
)

// source is what one level (file, environment, flags) says: by key, the text;
// the key of a secret may end in [fileSuffix].
type source map[string]string

// loadConfig reads the flags of `djedge serve`, the environment and the
// configuration file; a flag wins over a variable, a variable over the file.
func loadConfig(p *process) (*config, error) { return loadConfigFor(p, "serve") }

// loadConfigFor is for a command that takes the settings of serve.
func loadConfigFor(p *process, command string) (*config, error) {
	fs := newFlags(command, "[flags]")
	c, arguments, err := loadConfigWith(p, fs)
	if err == nil && len(arguments) > 0 {
		return nil, usagef("%s: unexpected argument", command)
	}
	return c, err
}

// loadConfigWith is for one that has flags of its own, in fs, or arguments.
func loadConfigWith(p *process, fs *flag.FlagSet) (*config, []string, error) {
	c := new(config)
	options := c.options()
	if err := setDefaults(options); err != nil {
		return nil, nil, err
	}
	flags := source{}
	defineFlags(fs, options, flags)
	arguments, err := parse(p, fs)
	if err != nil {
		return nil, nil, err
	}
	variables, err := readEnvironment(p.env, options)
	if err != nil {
		return nil, nil, err
	}
	path := flags["config"]
	if path == "" {
		path = variables["config"]
	}
	file := source{}
	if path != "" {
		if file, err = readFile(path, options); err != nil {
			return nil, nil, err
		}
	}
	return c, arguments, apply(options, []level{{flags, asFlag}, {variables, asVariable}, {file, asKey}})
}

// setDefaults sets every option that has a default to it.
func setDefaults(options []option) error {
	for i := range options {
		if o := &options[i]; o.def != "" {
			if err := o.set(o.def); err != nil {
				return fmt.Errorf("default of %s %w", o.key, err) // found by TestOptions
			}
		}
	}
	return nil
}

// level is one source, and how it calls an option in an error.
type level struct {
	source source
	name   func(o *option, suffix string) string
}

func asFlag(o *option, suffix string) string {
	return "--" + o.flagName() + strings.ReplaceAll(suffix, "_", "-")
}

func asVariable(o *option, suffix string) string { return o.variable() + strings.ToUpper(suffix) }

func asKey(o *option, suffix string) string {
	if o.table == "" {
		return o.key + suffix
	}
	return o.table + "." + o.key + suffix
}

// apply sets each option from the first level that has it.
func apply(options []option, levels []level) error {
	for i := range options {
		for _, l := range levels {
			done, err := options[i].take(l)
			if err != nil {
				return err
			}
			if done {
				break
			}
		}
	}
	return nil
}

// take sets the option from l, if l has it.
func (o *option) take(l level) (done bool, err error) {
	text, here := l.source[o.key]
	path, inFile := l.source[o.key+fileSuffix]
	suffix := ""
	switch {
	case !here && !inFile:
		return false, nil
	case here && inFile:
		return false, configf("%s and %s are both given", l.name(o, ""), l.name(o, fileSuffix))
	case inFile:
		suffix = fileSuffix
		if text, err = readSecret(path); err != nil {
			return false, configf("%s: %w", l.name(o, suffix), err)
		}
		if _, list := o.to.(*[]string); list {
			text = strings.ReplaceAll(text, "\n", ",")
		}
		// In a list it does not matter.
		if !o.isList() && strings.TrimSpace(text) != text {
			return false, configf("%s: %s has white space at an end, beyond one newline: take it off, or give %s itself if it belongs there", l.name(o, suffix), path, l.name(o, ""))
		}
	case o.secret && strings.TrimSpace(text) == "" && text != "":
		return false, configf("%s is white space only", l.name(o, ""))
	}
	if err := o.set(text); err != nil {
		return false, configf("%s %w", l.name(o, suffix), err)
	}
	return true, nil
}

// readSecret reads a file that holds one secret and perhaps a newline.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case info.Size() > maxSecretFile: // a pipe has size 0
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSecretFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := trimNewline(string(text))
	switch {
	case secret == "":
		return "", fmt.Errorf("%s is empty", path)
	case strings.TrimSpace(secret) == "":
		return "", fmt.Errorf("%s holds white space only", path)
	}
	return secret, nil
}

// trimNewline takes off one newline at the end, which editors and echo add.
func trimNewline(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return strings.TrimSuffix(s, "\r")
}

// defineFlags makes a flag of every option; what is given goes into to.
// Several values of a list add up.
func defineFlags(fs *flag.FlagSet, options []option, to source) {
	for i := range options {
		o := &options[i]
		doc := o.doc
		if o.def != "" {
			doc += " (default " + o.def + ")"
		}
		switch {
		case o.isSwitch():
			fs.BoolFunc(o.flagName(), doc, func(text string) error {
				to[o.key] = text
				return nil
			})
		case !o.secret || o.public:
			fs.Func(o.flagName(), doc, func(text string) error {
				if earlier, ok := to[o.key]; ok && o.isList() {
					text = earlier + o.separator() + text
				}
				to[o.key] = text
				return nil
			})
		}
		if o.secret {
			fs.Func(o.flagName()+"-file", "`file` that holds "+o.key, func(text string) error {
				to[o.key+fileSuffix] = text
				return nil
			})
		}
	}
}

// readEnvironment reads the variables with our prefix. An empty one is as if
// it were not there; an unknown one is refused, since it is a typing mistake
// that would leave a setting at its default.
func readEnvironment(env []string, options []option) (source, error) {
	known := make(map[string]string, 2*len(options))
	for i := range options {
		o := &options[i]
		known[o.variable()] = o.key
		if o.secret {
			known[o.variable()+strings.ToUpper(fileSuffix)] = o.key + fileSuffix
		}
	}
	from := source{}
	for _, entry := range env {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, testPrefix) {
			continue
		}
		key, ok := known[name]
		if !ok {
			return nil, configf("unknown environment variable %s", name)
		}
		if text != "" {
			from[key] = text
		}
	}
	return from, nil
}

// readFile reads the configuration file. Unknown tables and keys are refused.
func readFile(path string, options []option) (source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, configf("config: %w", err)
	}
	var tables map[string]any
	if err := toml.Unmarshal(text, &tables); err != nil {
		var bad toml.ParseError
		if errors.As(err, &bad) { // its Error may quote a line with a secret
			return nil, configf("config: %s: line %d: %s", path, bad.Position.Line, "not TOML")
		}
		return nil, configf("config: %s: not TOML", path)
	}
	known := make(map[string]*option)
	for i := range options {
		if o := &options[i]; o.table != "" {
			known[o.table+"."+o.key] = o
			if o.secret {
				known[o.table+"."+o.key+fileSuffix] = &option{key: o.key + fileSuffix, to: new(string)}
			}
		}
	}
	from := source{}
	for table, content := range tables {
		if table == ruleTable {
			text, err := fileRules(content)
			if err != nil {
				return nil, configf("config: %s: %w", path, err)
			}
			from[ruleTable] = text
			continue
		}
		keys, ok := content.(map[string]any)
		if !ok || table != django && table != serve {
			return nil, configf("config: %s: unknown key %s", path, table)
		}
		for key, value := range keys {
			o, ok := known[table+"."+key]
			if !ok {
				return nil, configf("config: %s: unknown key %s.%s", path, table, key)
			}
			text, err := fileValue(o, value)
			if err != nil {
				return nil, configf("config: %s: %s.%s %w", path, table, key, err)
			}
			from[o.key] = text
		}
	}
	return from, nil
}

// fileValue is a value of the file as text, when it has the option's type.
func fileValue(o *option, value any) (string, error) {
	switch v := value.(type) {
	case bool:
		if o.isSwitch() {
			return strconv.FormatBool(v), nil
		}
	case int64:
		if o.isNumber() {
			return strconv.FormatInt(v, 10), nil
		}
	case string:
		if !o.isSwitch() && !o.isNumber() && !o.isList() {
			return v, nil
		}
	case []any:
		if o.isList() {
			separator := o.separator()
			parts := make([]string, len(v))
			for i := range v {
				part, ok := v[i].(string)
				if !ok || strings.Contains(part, separator) {
					return "", errors.New("must be a list of strings")
				}
				parts[i] = part
			}
			return strings.Join(parts, separator), nil
		}
	}
	switch {
	case o.isSwitch():
		return "", errors.New("must be true or false")
	case o.isNumber():
		return "", errors.New("must be a whole number")
	case o.isList():
		return "", errors.New("must be a list of strings")
	}
	return "", errors.New("must be a string")
}
