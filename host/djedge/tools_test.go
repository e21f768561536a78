package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestSessionDecode(t *testing.T) {
	all := djangoVectors(t, "session_data-dj5.2-s1-0002", "session_data-dj2.2-s1-0002", "session_data-dj5.2-s1-0053")
	modern, legacy, rotated := all[0], all[1], all[2]
	shows := func(v vector) string { return `\A` + regexp.QuoteMeta(v.JSON) + `\n\z` }
	key := file(t, "key", modern.Secret+"\n")
	// The older key signed this one; the fallbacks are one on each line.
	fallbacks := file(t, "fallbacks", strings.Join(rotated.Fallbacks, "\n")+"\n")
	derived := invocation{args: []string{"keys", "--secret-key-file", key}, stdout: `^\[django\]\nkey_session = \["sha256:`}.try(t)
	session := regexp.MustCompile(`key_session = \["([^"]*)`).FindStringSubmatch(derived)[1]

	for _, i := range []invocation{
		{args: []string{"session", "decode", modern.SessionData, "--secret-key-file", key}, stdout: shows(modern)},
		{args: []string{"session", "decode", "--secret-key-file=" + key, "--", modern.SessionData}, stdout: shows(modern)},
		{args: words("session decode"), stdin: modern.SessionData + "\n", env: []string{"DJEDGE_SECRET_KEY=" + modern.Secret}, stdout: shows(modern)},
		{args: words("session decode"), stdin: modern.SessionData, env: []string{"DJEDGE_SECRET_KEY=", "DJEDGE_SECRET_KEY_FILE=" + key}, stdout: shows(modern)},
		{args: []string{"session", "decode", modern.SessionData, "--key", session}, stdout: shows(modern)},
		{args: []string{"session", "decode", legacy.SessionData, "--django-version", "2.2"}, env: []string{"DJEDGE_SECRET_KEY=" + legacy.Secret}, stdout: shows(legacy)},
		{args: []string{"session", "decode", rotated.SessionData, "--secret-key-fallbacks-file", fallbacks}, env: []string{"DJEDGE_SECRET_KEY=" + rotated.Secret}, stdout: shows(rotated)},
		{args: []string{"session", "decode", "--unverified", modern.SessionData}, stdout: shows(modern)},
		{args: []string{"session", "decode", "--unverified", legacy.SessionData}, stdout: shows(legacy)},
		{args: []string{"session", "decode", "--unverified", "e30"}, code: 1, stderr: "no session"},
		{args: []string{"session", "decode", "--unverified", "e30:"}, stdout: `\A{}\n\z`},
		{args: []string{"session", "decode", "--unverified", "e30:1:x"}, stdout: `\A{}\n\z`},

		{args: []string{"session", "decode", modern.SessionData}, stdout: shows(modern), stderr: "not verified"},
		{args: []string{"session", "decode", modern.SessionData}, env: []string{"DJEDGE_SECRET_KEY=another"}, code: 1, stderr: "signature"},
		{args: []string{"session", "decode", "--unverified", modern.SessionData}, env: []string{"DJEDGE_SECRET_KEY=another"}, code: 1, stderr: "signature"},
		{args: []string{"session", "decode", rotated.SessionData}, env: []string{"DJEDGE_SECRET_KEY=" + rotated.Secret}, code: 1, stderr: "signature"},
		{args: []string{"session", "decode", modern.SessionData}, env: []string{"DJEDGE_SECRET_KEY=canary", "DJEDGE_SECRET_KEY_FILE=" + key},
			code: 78, stderr: "DJEDGE_SECRET_KEY and DJEDGE_SECRET_KEY_FILE are both given"},
		{args: []string{"session", "decode", modern.SessionData}, env: []string{"DJEDGE_SECRT_KEY=canary"}, code: 78, stderr: "DJEDGE_SECRT_KEY$"},
		{args: []string{"session", "decode", "--unverified", "rubbish!"}, code: 1, stderr: "no session"},
		{args: []string{"session", "decode", "--unverified", ":"}, code: 1, stderr: "no session"},
		{args: []string{"session", "decode", "--unverified", ".e30:1:x"}, code: 1, stderr: "no session"},
		{args: []string{"session", "decode", "--unverified", ""}, code: 1, stderr: "no session"},
	} {
		i.try(t)
	}
}

func TestKeys(t *testing.T) {
	key := file(t, "key", "canary-secret\n")
	for _, i := range []invocation{
		{args: []string{"keys", "--secret-key-file", key, "--format", "env"}, stdout: `^DJEDGE_KEY_SESSION=sha256:[0-9a-f]{64}$`},
		{args: []string{"keys"}, env: []string{"DJEDGE_SECRET_KEY=canary-secret", "DJEDGE_SECRET_KEY_FALLBACKS=a,b\nc"}, stdout: `^key_session = \["sha256:[0-9a-f]{64}", "sha256:[0-9a-f]{64}", "sha256:[0-9a-f]{64}"\]$`},
		{args: []string{"keys"}, code: 78, stderr: "secret_key_file is missing"},
		{args: []string{"keys", "--secret-key-file", key + "x"}, code: 78, stderr: "--secret-key-file: .*no such file"},
	} {
		i.try(t)
	}
	// The keys may be pasted into the configuration and exported as they are.
	toml := invocation{args: []string{"keys", "--secret-key-file", key}, stdout: anything}.try(t)
	c, err := loadConfig(&process{args: []string{"--config", file(t, "djedge.toml", toml)}})
	if err != nil {
		t.Fatal(err)
	}
	env := invocation{args: []string{"keys", "--secret-key-file", key, "--format", "env"}, stdout: anything}.try(t)
	d, err := loadConfig(&process{env: strings.Split(env, "\n")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*config{c, d} {
		keys, err := c.keys.signingKeys()
		if err != nil || keys.Session.Current.IsZero() || keys.AuthHashSHA1.Current.IsZero() {
			t.Errorf("keys %v, %v", keys, err)
		}
	}
}

func TestPassword(t *testing.T) {
	all := djangoVectors(t, "hasher-dj5.2-s1-0015", "hasher-dj5.2-s1-0061")
	pbkdf2, argon2 := all[0], all[1]
	for _, i := range []invocation{
		{args: []string{"password", "verify", pbkdf2.Encoded}, stdin: pbkdf2.Password},
		{args: []string{"password", "verify", pbkdf2.Encoded}, stdin: pbkdf2.Password + "\n"},
		{args: []string{"password", "verify", argon2.Encoded}, stdin: argon2.Password + "\n"},
		{args: []string{"password", "verify", pbkdf2.Encoded}, stdin: pbkdf2.Password + "\n\n", code: 1, stderr: "wrong"},
		{args: []string{"password", "verify", pbkdf2.Encoded}, stdin: "canary", code: 1, stderr: "wrong"},
		{args: []string{"password", "verify", "pbkdf2_sha256$2147483648$salt$aaaa"}, stdin: "canary", code: 1, stderr: "more work than allowed"},
		{args: []string{"password", "verify", "md4$salt$aaaa"}, stdin: "canary", code: 1, stderr: "."},
		{args: []string{"password", "verify", "rubbish"}, stdin: "canary", code: 1, stderr: "."},
		{args: []string{"password", "verify", ""}, stdin: "canary", code: 1, stderr: "."},
		{args: []string{"password", "verify", "!canary"}, stdin: "canary", code: 1, stderr: "."},
		{args: []string{"password", "verify", pbkdf2.Encoded}, stdin: strings.Repeat("canary", 1<<18), code: 1, stderr: "."},
		{args: words("password hash --django-version 1.11"), code: 78, stderr: "version"},
		{args: words("password hash --password-hashers canaries"), code: 78, stderr: "password_hashers"},
		{args: words("password hash --hasher nothing"), stdin: "canary", code: 2, stderr: "known: pbkdf2_sha256, "},
	} {
		i.try(t)
	}
	// Django's iterations by release, and a hash that verifies.
	encoded := invocation{args: words("password hash --django-version 2.2"), stdin: "canary\n", stdout: `\Apbkdf2_sha256\$150000\$[0-9A-Za-z]{12}\$\S+\n\z`}.try(t)
	invocation{args: []string{"password", "verify", strings.TrimSpace(encoded)}, stdin: "canary"}.try(t)
	invocation{args: words("password hash --pbkdf2-iterations 10 --hasher pbkdf2_sha1"), stdin: "canary", stdout: `\Apbkdf2_sha1\$10\$`}.try(t)
}

// FuzzDecodeUnverified: whatever somebody pastes, the answer is one line or an error.
func FuzzDecodeUnverified(f *testing.F) {
	for _, seed := range []string{"e30:1:x", "e30", ".eJyrrgUAAXUA-Q:1:x", ".:", "ZWNiOnsiYSI6MX0=", "!"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		var out strings.Builder
		err := decodeUnverified(&out, data)
		if text := out.String(); (err == nil) != (strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}\n")) {
			t.Errorf("%q: %q, %v", data, text, err)
		}
	})
}
