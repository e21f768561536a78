//go:build !wasm

package password

func init() {
	sha256Kernels["crypto/sha256"] = iterateSHA256Std
	sha1Kernels["crypto/sha1"] = iterateSHA1Std
}
