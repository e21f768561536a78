package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxBody  = 64 << 10 // bytes of a JSON body
	maxDrain = 2 << 20  // bytes of a refused body that are read, so that the client gets to see why
)

// bodyError is a body that is refused: its message may be shown.
type bodyError struct {
	status  int
	message string
}

// readBody reads a JSON object of exactly the named strings.
func readBody(w http.ResponseWriter, r *http.Request, keys []string) (map[string]string, *bodyError) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || media != "application/json" || len(r.Header["Content-Type"]) != 1 || charset != "" && charset != "utf-8" {
		drain(r)
		return nil, &bodyError{http.StatusUnsupportedMediaType, "The content type must be application/json"}
	}
	text, refused := readText(w, r)
	if refused != nil {
		return nil, refused
	}
	fields, problem := decodeStrings(text, keys)
	if problem != "" {
		return nil, &bodyError{http.StatusBadRequest, problem}
	}
	return fields, nil
}

// readText reads a body of at most maxBody bytes.
func readText(w http.ResponseWriter, r *http.Request) ([]byte, *bodyError) {
	if r.ContentLength > maxBody {
		drain(r)
		return nil, tooLarge()
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		drain(r)
		return nil, tooLarge()
	case err != nil:
		return nil, &bodyError{http.StatusBadRequest, "The body could not be read"}
	}
	return text, nil
}

func tooLarge() *bodyError {
	return &bodyError{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes", maxBody)}
}

// drain reads a bounded rest of a refused body. A client that writes all
// before it reads would otherwise see a broken connection and not the answer.
func drain(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		io.CopyN(io.Discard, r.Body, maxDrain) // it is refused in any case
	}
}

// decodeStrings reads a JSON object that has each of keys once, as a string,
// and nothing else. json.Unmarshal would match keys without regard to case,
// let the last duplicate win, drop unknown keys and replace what is not UTF-8:
// two readers of one body must never see two bodies. The problem, "" when
// there is none, is for people; it names the key and never holds a value.
func decodeStrings(text []byte, keys []string) (fields map[string]string, problem string) {
	const notJSON = "The body is not JSON"
	if !utf8.Valid(text) {
		return nil, "The body is not UTF-8"
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, "The body is not a JSON object"
	}
	fields = make(map[string]string, len(keys))
	for d.More() {
		key, err := stringToken(d, text)
		if err != nil {
			return nil, notJSON
		}
		if !slices.Contains(keys, key) {
			return nil, "Unknown key " + short(key)
		}
		if _, twice := fields[key]; twice {
			return nil, fmt.Sprintf("The key %q is there twice", key)
		}
		value, err := stringToken(d, text)
		switch {
		case errors.Is(err, errNotString):
			return nil, fmt.Sprintf("The value of %q must be a string", key)
		case errors.Is(err, errSurrogate):
			return nil, fmt.Sprintf("The value of %q is not Unicode text", key)
		case err != nil:
			return nil, notJSON
		}
		fields[key] = value
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, notJSON
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, "There is something after the JSON object"
	}
	for _, key := range keys {
		if _, ok := fields[key]; !ok {
			return nil, fmt.Sprintf("The key %q is missing", key)
		}
	}
	return fields, ""
}

var (
	errNotString = errors.New("not a string")
	errSurrogate = errors.New("lone surrogate")
)

// stringToken reads the next token of text, which must be a string.
func stringToken(d *json.Decoder, text []byte) (string, error) {
	start := d.InputOffset()
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", errNotString
	}
	// The decoder turns "\ud800" into U+FFFD without a word.
	if loneSurrogate(text[start:d.InputOffset()]) {
		return "", errSurrogate
	}
	return s, nil
}

// loneSurrogate reports whether JSON text has half a pair of \u escapes.
func loneSurrogate(raw []byte) bool {
	high := false // an unpaired high surrogate came just before
	for i := 0; i < len(raw); i++ {
		unit := uint64(0)
		if raw[i] == '\\' {
			i++
			if i+4 < len(raw) && raw[i] == 'u' {
				unit, _ = strconv.ParseUint(string(raw[i+1:i+5]), 16, 32)
				i += 4
			}
		}
		low := unit >= 0xdc00 && unit <= 0xdfff
		if low != high {
			return true
		}
		high = unit >= 0xd800 && unit <= 0xdbff
	}
	return high
}

// short quotes a key of the client's, not more than a line of it.
func short(key string) string {
	const limit = 40
	if runes := []rune(key); len(runes) > limit {
		key = string(runes[:limit]) + "…"
	}
	return strconv.Quote(key)
}
