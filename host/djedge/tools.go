package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// maxInput bounds what a command reads on standard input.
const maxInput = 8 << 20

// toolOptions are the settings of serve that a tool shares, by key; they come
// from flags and the environment, and from no file.
func toolOptions(p *process, fs *flag.FlagSet, keys ...string) (*config, []string, error) {
	c := new(config)
	var options []option
	for _, o := range c.options() {
		for _, key := range keys {
			if o.key == key {
				options = append(options, o)
			}
		}
	}
	if err := setDefaults(options); err != nil {
		return nil, nil, err
	}
	flags := source{}
	defineFlags(fs, options, flags)
	arguments, err := parse(p, fs)
	if err != nil {
		return nil, nil, err
	}
	variables, err := readEnvironment(p.env, c.options())
	if err != nil {
		return nil, nil, err
	}
	if err := apply(options, []level{{flags, asFlag}, {variables, asVariable}}); err != nil {
		return nil, nil, err
	}
	return c, arguments, nil
}

// parseVersion reads a Django release; "" is none.
func parseVersion(text string) (version.Version, error) {
	if text == "" {
		return version.Version{}, nil
	}
	return version.Parse(text)
}

// readInput reads standard input, less one newline at its end.
func readInput(p *process) (string, error) {
	text, err := io.ReadAll(io.LimitReader(p.stdin, maxInput+1))
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	if len(text) > maxInput {
		return "", fmt.Errorf("standard input is larger than %d bytes", maxInput)
	}
	return trimNewline(string(text)), nil
}

// passwordVerify compares the password on standard input with ENCODED.
func passwordVerify(ctx context.Context, p *process) error {
	fs := newFlags("password verify", "[flags] ENCODED    (password on standard input, less one newline)")
	c, arguments, err := toolOptions(p, fs, "version", "password_hashers", "bcrypt_version")
	if err != nil {
		return err
	}
	if len(arguments) != 1 {
		return usagef("password verify: needs one argument, the stored form")
	}
	hashers, err := c.hashers()
	if err != nil {
		return err
	}
	text, err := readInput(p)
	if err != nil {
		return err
	}
	ok, err := hashers.Verify(ctx, inPlace{}, text, arguments[0])
	switch {
	case err != nil:
		return err
	case !ok:
		fmt.Fprintln(p.stderr, "djedge: the password is wrong")
		return errRefused
	}
	return nil
}

// passwordHash prints Django's stored form of the password on standard input.
func passwordHash(ctx context.Context, p *process) error {
	fs := newFlags("password hash", "[flags]    (password on standard input, less one newline)")
	hasher := fs.String("hasher", "", "`algorithm`, such as argon2, or the name of a hasher class; the release's preferred one when it is not given")
	c, arguments, err := toolOptions(p, fs, "version", "password_hashers", "bcrypt_version", "pbkdf2_iterations")
	if err != nil {
		return err
	}
	if len(arguments) > 0 {
		return usagef("password hash: the password is read from standard input")
	}
	hashers, err := c.hashers()
	if err != nil {
		return err
	}
	text, err := readInput(p)
	if err != nil {
		return err
	}
	encoded, err := hashers.Make(ctx, inPlace{}, randomBytes, text, *hasher)
	switch {
	case errors.Is(err, password.ErrUnknownAlgorithm):
		return usagef("password hash: %w (known: %s)", err, strings.Join(hashers.Algorithms(), ", "))
	case err != nil:
		return err
	}
	fmt.Fprintln(p.stdout, encoded)
	return nil
}

// keysCommand prints the keys derived from SECRET_KEY.
func keysCommand(_ context.Context, p *process) error {
	fs := newFlags("keys", "[flags]")
	format := fs.String("format", "toml", "toml or env")
	c, arguments, err := toolOptions(p, fs, "secret_key", "secret_key_fallbacks", "session_salt_class")
	if err != nil {
		return err
	}
	switch {
	case len(arguments) > 0:
		return usagef("keys: unexpected argument")
	case *format != "toml" && *format != "env":
		return usagef("keys: --format must be toml or env")
	case c.secretKey == "":
		return configf("secret_key_file is missing")
	}
	keys := signing.DeriveKeys(c.host.SessionSaltClass, c.secretKey, c.host.SecretKeyFallbacks)
	if *format == "toml" {
		fmt.Fprintf(p.stdout, "[%s]\n", django)
	}
	settings := host.KeySettings(keys)
	for len(settings) > 0 { // a ring's fallbacks follow its current key
		name, exports := settings[0].Name, []string{}
		for len(settings) > 0 && settings[0].Name == name {
			exports = append(exports, settings[0].Value)
			settings = settings[1:]
		}
		if *format == "env" {
			fmt.Fprintf(p.stdout, "%s%s=%s\n", envPrefix, strings.ToUpper(name), strings.Join(exports, ","))
		} else {
			fmt.Fprintf(p.stdout, "%s = [\"%s\"]\n", name, strings.Join(exports, `", "`))
		}
	}
	return nil
}

// versionCommand prints the versions of all parts.
func versionCommand(_ context.Context, p *process) error {
	if err := noArguments(p, newFlags("version", "")); err != nil {
		return err
	}
	release := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		release = info.Main.Version
	}
	digest := "none"
	if _, err := modules.WASM(); err == nil {
		digest = "sha256:" + modules.Digest()
	}
	fmt.Fprintf(p.stdout, "djedge %s\nabi %d\nmodule %s\ngo %s %s/%s\n",
		release, abi.Version, digest, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
