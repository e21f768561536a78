//go:build !amd64 && !wasm

package password

// argon2Compress is G (RFC 9106, 3.5): out becomes the compression of x and y,
// combined with what out was if combine is set. out may be x or y.
func argon2Compress(out, x, y *argon2Block, combine bool) {
	argon2CompressGeneric(out, x, y, combine)
}
