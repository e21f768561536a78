package signing

// Inflate is zlib.decompress(data). More than maxBytes is [ErrTooLarge] and
// never held in memory; anything else that is wrong is [ErrZlib].
func Inflate(data string, maxBytes int) (string, error) {
	b := buffers.Get().(*buffer)
	defer b.release()
	b.raw = append(b.raw[:0], data...)
	plain, err := b.inflate(maxBytes)
	return string(plain), err
}

// Deflate is zlib.compress(data), though not necessarily the same bytes.
func Deflate(data string) string { return string(deflate([]byte(data))) }
