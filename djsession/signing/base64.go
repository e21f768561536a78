package signing

// decodeBase64 decodes as Python's base64.b64decode does by default: bytes
// outside the alphabet are ignored, what follows a complete padding is ignored,
// and a missing padding is an error. The result is appended to dst.
func decodeBase64(dst []byte, s string, alphabet *[256]byte) ([]byte, bool) {
	var quad, pads int
	var left byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '=' {
			// Only padding that completes a quad ends the data.
			if pads++; quad >= 2 && quad+pads >= 4 {
				return dst, true
			}
			continue
		}
		v := alphabet[c]
		if v == 0xff {
			continue
		}
		pads = 0
		switch quad {
		case 0:
			left = v
		case 1:
			dst = append(dst, left<<2|v>>4)
			left = v & 0x0f
		case 2:
			dst = append(dst, left<<4|v>>2)
			left = v & 0x03
		case 3:
			dst = append(dst, left<<6|v)
		}
		quad = (quad + 1) & 3
	}
	return dst, quad == 0
}

// decodeUnpadded is Django's b64_decode: the padding that the length asks for
// is appended first, and the alphabet is the URL-safe one, to which Python's
// urlsafe_b64decode adds the other.
func decodeUnpadded(dst []byte, s string) ([]byte, bool) {
	if r := len(s) % 4; r != 0 {
		s += "==="[:4-r]
	}
	return decodeBase64(dst, s, &bothValues)
}

var (
	standardValues = base64Values("+/")
	bothValues     = base64Values("+/-_")
)

// base64Values is the alphabet with the characters for 62 and 63, in turns.
func base64Values(last string) (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range 26 {
		t['A'+i], t['a'+i] = byte(i), byte(26+i)
	}
	for i := range 10 {
		t['0'+i] = byte(52 + i)
	}
	for i := range len(last) {
		t[last[i]] = byte(62 + i%2)
	}
	return t
}
