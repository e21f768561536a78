package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
)

// sessionDecode prints what a session holds as JSON. With a key it prints only
// what that key has signed; without one it looks, and says so.
func sessionDecode(_ context.Context, p *process) error {
	fs := newFlags("session decode", "[flags] [DATA]    (the session_data column; standard input when it is not given)")
	var exported []string
	fs.Func("key", "derived `key` of key_session (or its SHA-1 forms), as djedge keys prints it; may repeat", func(text string) error {
		exported = append(exported, text)
		return nil
	})
	unverified := fs.Bool("unverified", false, "without a key: do not warn that anybody may have written the data")
	c, arguments, err := toolOptions(p, fs, "secret_key", "secret_key_fallbacks", "session_salt_class", "version")
	if err != nil {
		return err
	}
	var data string
	switch len(arguments) {
	case 0:
		if data, err = readInput(p); err != nil {
			return err
		}
	case 1:
		data = arguments[0]
	default:
		return usagef("session decode: needs one argument at most")
	}
	data = strings.TrimSpace(data)

	keys, err := sessionKeys(c, exported)
	switch {
	case err != nil:
		return err
	case keys == nil:
		if err := decodeUnverified(p.stdout, data); err != nil || *unverified {
			return err
		}
		fmt.Fprintln(p.stderr, "djedge: not verified: anybody may have written this; --secret-key-file or --key verifies it")
		return nil
	}
	release, err := parseVersion(c.host.DjangoVersion)
	if err != nil {
		return configf("version: %w", err)
	}
	store, err := djsession.New(djsession.Settings{Version: release, Keys: *keys})
	if err != nil {
		return configf("session decode: %w", err)
	}
	items, err := store.Decode(data)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	printItems(p.stdout, items)
	return nil
}

// sessionKeys are the keys given by either way; nil when there are none. An
// exported key is tried wherever its algorithm fits: it does not say its use.
func sessionKeys(c *config, exported []string) (*signing.Keys, error) {
	if c.secretKey != "" {
		if len(exported) > 0 {
			return nil, usagef("session decode: --key and a secret key are both given")
		}
		keys := signing.DeriveKeys(c.host.SessionSaltClass, c.secretKey, c.host.SecretKeyFallbacks)
		return &keys, nil
	}
	if len(exported) == 0 {
		return nil, nil
	}
	var keys signing.Keys
	add := func(ring *signing.Ring, key signing.Key) {
		if ring.Current.IsZero() {
			ring.Current = key
		} else {
			ring.Fallbacks = append(ring.Fallbacks, key)
		}
	}
	for _, text := range exported {
		key, err := signing.ParseKey(text)
		if err != nil {
			return nil, usagef("session decode: --key: %w", err)
		}
		if strings.HasPrefix(text, "sha1:") {
			add(&keys.SessionSHA1, key)
			add(&keys.SessionLegacy, key)
		} else {
			add(&keys.Session, key)
		}
	}
	return &keys, nil
}

// printItems writes the session as one object, each value as it was stored.
func printItems(w io.Writer, items []djsession.Item) {
	var b strings.Builder
	b.WriteByte('{')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pyjson.Quote(item.Key) + ":" + item.Raw)
	}
	b.WriteString("}\n")
	io.WriteString(w, b.String())
}

const (
	maxUnverified = 8 << 20 // bytes that unsigned data may inflate to
	maxDepth      = 200     // of its JSON
)

// decodeUnverified shows the payload of either form, ignoring the signature:
// [.]base64url(zlib?(JSON)):time:signature, or base64(hex ":" JSON) before Django 3.1.
func decodeUnverified(w io.Writer, data string) error {
	payload, _, signed := strings.Cut(data, ":")
	compressed := signed && strings.HasPrefix(payload, ".")
	encoding := base64.RawURLEncoding
	if !signed {
		encoding = base64.RawStdEncoding
	}
	text, err := encoding.DecodeString(strings.TrimRight(strings.TrimPrefix(payload, "."), "="))
	if err != nil {
		return errors.New("the data is no session: it is not base64")
	}
	switch {
	case !signed:
		_, text, _ = bytes.Cut(text, []byte(":"))
	case compressed:
		r, err := zlib.NewReader(bytes.NewReader(text))
		if err != nil {
			return errors.New("the data is no session: it is not compressed")
		}
		if text, err = io.ReadAll(io.LimitReader(r, maxUnverified+1)); err != nil || len(text) > maxUnverified {
			return errors.New("the data is no session: it does not inflate")
		}
	}
	members, err := pyjson.Object(latin1(text), maxDepth)
	if err != nil {
		return errors.New("the data is no session: it is not a JSON object")
	}
	items := make([]djsession.Item, len(members))
	for i, m := range members {
		items[i] = djsession.Item{Key: m.Key, Raw: m.Raw}
	}
	printItems(w, items)
	return nil
}

// latin1 decodes as Django's JSONSerializer does. What it writes is ASCII.
func latin1(text []byte) string {
	runes := make([]rune, len(text))
	for i, b := range text {
		runes[i] = rune(b)
	}
	return string(runes)
}
