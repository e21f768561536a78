package hashing

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/djedge/djedge/djuser/password"
)

// The messages between a [Process] and [Serve]: a u32 length, a u64 number of
// the derivation, a byte for the kind, and what that kind has, little endian.
const (
	kindDerive byte = 1 + iota // eight u32 of the parameters, u32 length of the password, password, salt
	kindCancel                 // nothing: nobody waits any more
	kindKey                    // the key
	kindError                  // a text
)

const (
	headSize   = 8 + 1
	paramsSize = 8 * 4
	// maxMessage is far above what a password and a salt may have.
	maxMessage = 1 << 20
)

var errMessage = errors.New("malformed message")

type message struct {
	id   uint64
	kind byte
	body []byte
}

func write(w io.Writer, m message) error {
	if headSize+len(m.body) > maxMessage {
		return fmt.Errorf("%w: larger than %d bytes", errMessage, maxMessage)
	}
	b := make([]byte, 0, 4+headSize+len(m.body))
	b = binary.LittleEndian.AppendUint32(b, uint32(headSize+len(m.body)))
	b = binary.LittleEndian.AppendUint64(b, m.id)
	b = append(append(b, m.kind), m.body...)
	_, err := w.Write(b)
	clear(b) // it may have held a password
	return err
}

// read is the next message, or [io.EOF] where one would begin.
func read(r *bufio.Reader) (message, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return message{}, err
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size < headSize || size > maxMessage {
		return message{}, fmt.Errorf("%w: its length is %d", errMessage, size)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return message{}, fmt.Errorf("%w: %w", errMessage, err)
	}
	return message{id: binary.LittleEndian.Uint64(b), kind: b[8], body: b[headSize:]}, nil
}

func encode(p password.Params, secret, salt []byte) []byte {
	var b []byte
	for _, n := range [8]uint32{uint32(p.Function), p.Iterations, p.Memory, p.Parallelism, p.N, p.R, p.Version, p.KeyLen} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(secret)))
	return append(append(b, secret...), salt...)
}

func decode(b []byte) (p password.Params, secret, salt []byte, err error) {
	if len(b) < paramsSize+4 {
		return p, nil, nil, fmt.Errorf("%w: it ends early", errMessage)
	}
	var n [8]uint32
	for i := range n {
		n[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	length := binary.LittleEndian.Uint32(b[paramsSize:])
	b = b[paramsSize+4:]
	if n[0] > 255 || uint64(length) > uint64(len(b)) {
		return p, nil, nil, fmt.Errorf("%w: a number is out of range", errMessage)
	}
	p = password.Params{
		Function: password.Function(n[0]), Iterations: n[1], Memory: n[2], Parallelism: n[3],
		N: n[4], R: n[5], Version: n[6], KeyLen: n[7],
	}
	return p, b[:length], b[length:], nil
}
