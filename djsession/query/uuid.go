package query

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// maxUUIDText bounds the forms that [ParseUUID] reads, all of which are short.
const maxUUIDText = 64

// ParseUUID reads a UUID as Python's uuid.UUID(hex) does, hence Django's
// UUIDField: 32 hexadecimal digits of either case, with dashes anywhere, in
// braces, after "urn:" or "uuid:". It returns what str() of it is: lower case
// and dashed, as Django's sessions hold a user's key. (The oddities that
// Python's int() would let pass among the digits, such as "_", are refused.)
func ParseUUID(text string) (dashed string, ok bool) {
	if len(text) > maxUUIDText {
		return "", false
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "urn:", ""), "uuid:", "")
	text = strings.ReplaceAll(strings.Trim(text, "{}"), "-", "")
	var id [16]byte
	if len(text) != 2*len(id) {
		return "", false
	}
	for i := range id { // encoding/hex's decoder would bring fmt into the module
		b, err := strconv.ParseUint(text[2*i:2*i+2], 16, 8)
		if err != nil {
			return "", false
		}
		id[i] = byte(b)
	}
	return FormatUUID(id), true
}

// FormatUUID is the dashed, lower-case text of a UUID.
func FormatUUID(id [16]byte) string {
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// UUID is a UUID, dashed and in lower case, as Django stores it: as it is for
// PostgreSQL, and 32 digits in a char(32) for SQLite and MySQL. MariaDB's own
// uuid, of Django 5.0 on, takes both.
func (d Dialect) UUID(dashed string) Value {
	if d == PostgreSQL {
		return Text(dashed)
	}
	return Text(strings.ReplaceAll(dashed, "-", ""))
}
