package password

// argon2Compress is G (RFC 9106, 3.5): out becomes the compression of x and y,
// combined with what out was if combine is set. out may be x or y.
func argon2Compress(out, x, y *argon2Block, combine bool) {
	if combine || out == x || out == y {
		var t argon2Block
		keep := uint64(0)
		if combine {
			keep = ^keep
		}
		argon2Mix(out, x, y, &t, keep, 0)
		return
	}
	argon2Mix(out, x, y, out, 0, 0) // saves clearing a kilobyte
}

// argon2Mix keeps of out the bits of keep. t holds what lies between its two
// loops; left is room for their counter.
//
//go:noescape
func argon2Mix(out, x, y, t *argon2Block, keep uint64, left int)
