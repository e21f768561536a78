package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hasherAlgorithms are the names that vectors use for a preferred hasher.
var hasherAlgorithms = map[string]string{
	"PBKDF2PasswordHasher":       "pbkdf2_sha256",
	"PBKDF2SHA1PasswordHasher":   "pbkdf2_sha1",
	"Argon2PasswordHasher":       "argon2",
	"BCryptSHA256PasswordHasher": "bcrypt_sha256",
	"BCryptPasswordHasher":       "bcrypt",
	"ScryptPasswordHasher":       "scrypt",
	"MD5PasswordHasher":          "md5",
	"SHA1PasswordHasher":         "sha1",
	"UnsaltedMD5PasswordHasher":  "unsalted_md5",
	"UnsaltedSHA1PasswordHasher": "unsalted_sha1",
	"CryptPasswordHasher":        "crypt",
}

// hasherSettings are the arguments that say how that Django was set up: its
// hashers, preferred first, and the rules of its bcrypt library.
func (v *vector) hasherSettings(preferred string) (map[string]string, error) {
	if len(v.run.AvailableHashers) == 0 {
		return nil, errSkip("the file's meta has no available_hashers for Django " + v.Django)
	}
	hashers := v.run.AvailableHashers
	if preferred != "" {
		algorithm, ok := hasherAlgorithms[preferred]
		if !ok {
			return nil, fmt.Errorf("hasher class %q is not known", preferred)
		}
		hashers = []string{algorithm}
		for _, name := range v.run.AvailableHashers {
			if name != algorithm {
				hashers = append(hashers, name)
			}
		}
	}
	list, _ := json.Marshal(hashers)
	settings := map[string]string{"hashers": string(list)}
	if lib, _, ok := strings.Cut(v.run.Libs["bcrypt"], "."); ok {
		settings["bcrypt"] = lib
	}
	if v.has("default_iterations") {
		settings["default_iterations"] = string(v.fields["default_iterations"])
	}
	return settings, nil
}

func judgeHasher(j *judge, v *vector) error {
	settings, err := v.hasherSettings("")
	if err != nil {
		return err
	}
	answer, err := j.evalWith(v, "password_verify", settings, "password", "encoded")
	var refused *refusal
	if errors.As(err, &refused) { // refusing says "no" as well
		answer, err = `{"ok":false}`, nil
	}
	if err != nil {
		return err
	}
	want := `{"ok":false}`
	if !v.expectsError() {
		want = string(v.fields["expected"])
	}
	if err := sameJSON(answer, want); err != nil {
		return err
	}
	identified, err := j.eval(v, "password_identify", "encoded")
	if err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	var algorithm string
	_ = json.Unmarshal([]byte(member(identified, "algorithm")), &algorithm)
	wanted := string(v.fields["algorithm"])
	if wanted == "null" && !slices.Contains(v.run.AvailableHashers, algorithm) {
		wanted = quote(algorithm) // Django looks only among the hashers it has
	}
	if err := errors.Join(
		sameJSON(member(identified, "algorithm"), wanted),
		sameJSON(member(identified, "usable"), string(v.fields["usable"])),
	); err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	var updates map[string]json.RawMessage
	if err := json.Unmarshal(v.fields["must_update_if_preferred"], &updates); err != nil {
		return nil // not every vector has it
	}
	for _, class := range slices.Sorted(maps.Keys(updates)) {
		if updates[class][0] != 't' && updates[class][0] != 'f' {
			continue // Django raised
		}
		if err := judgePreferred(j, v, class, string(updates[class])); err != nil {
			return fmt.Errorf("must_update with %s: %w", class, err)
		}
	}
	return nil
}

func judgePreferred(j *judge, v *vector, class, want string) error {
	settings, err := v.hasherSettings(class)
	if err != nil {
		return err
	}
	answer, err := j.evalWith(v, "password_must_update", settings, "encoded")
	if err != nil {
		return err
	}
	return sameJSON(answer, want)
}

func judgeMustUpdate(j *judge, v *vector) error {
	return judgePreferred(j, v, v.text("preferred"), string(v.fields["expected"]))
}

func judgeHasherEncodeError(j *judge, v *vector) error {
	settings, err := v.hasherSettings(v.text("hasher"))
	if err != nil {
		return err
	}
	answer, err := j.evalWith(v, "password_make", settings, "password")
	return expectAnswer(answer, err, v)
}

func judgeHasherDefaults(j *judge, v *vector) error {
	answer, err := j.eval(v, "password_defaults")
	return expectAnswer(answer, err, v)
}
