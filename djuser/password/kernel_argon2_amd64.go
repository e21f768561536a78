package password

//go:generate go run blamka_gen.go

// argon2Compress is G (RFC 9106, 3.5): out becomes the compression of x and y,
// combined with what out was if combine is set. out may be x or y.
func argon2Compress(out, x, y *argon2Block, combine bool) {
	if hasAVX2 {
		argon2CompressAVX2(out, x, y, combine)
		return
	}
	argon2CompressGeneric(out, x, y, combine)
}

//go:noescape
func argon2CompressAVX2(out, x, y *argon2Block, combine bool)
