package signing

// decodeBase64 decodes as Python's base64.b64decode does by default, in both
// the standard and the URL-safe alphabet: other bytes are ignored, what follows
// a complete padding is ignored, and a missing padding is an error. The result
// is appended to dst.
func decodeBase64(dst []byte, s string) ([]byte, bool) {
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
		v := base64Values[c]
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
// is appended first.
func decodeUnpadded(dst []byte, s string) ([]byte, bool) {
	if r := len(s) % 4; r != 0 {
		s += "==="[:4-r]
	}
	return decodeBase64(dst, s)
}

var base64Values = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range 26 {
		t['A'+i], t['a'+i] = byte(i), byte(26+i)
	}
	for i := range 10 {
		t['0'+i] = byte(52 + i)
	}
	t['+'], t['-'], t['/'], t['_'] = 62, 62, 63, 63
	return t
}()
