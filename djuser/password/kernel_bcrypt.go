package password

import (

	//lint:ignore SA1019 Blowfish is no cipher for new designs, and it is what bcrypt is made of.
	"golang.org/x/crypto/blowfish"

	"github.com/djedge/djedge/djsession/errorf"
)

const (
	bcryptKeyLen  = 23 // of 24 bytes; the reference implementation dropped the last
	bcryptSaltLen = 16
	bcryptPause   = 16 // rounds between two yields: about 1 ms
)

// bcrypt is Provos and Mazières' EksBlowfish, as OpenBSD's $2b$ runs it.
func bcrypt(pause func() error, p Params, password, salt []byte) ([]byte, error) {
	if len(salt) != bcryptSaltLen {
		return nil, errorf.Errorf("%w: a bcrypt salt has %d bytes", errParams, bcryptSaltLen)
	}
	// The C string's end belongs to the key; Blowfish reads 72 bytes of it.
	key := append(append(make([]byte, 0, len(password)+1), password...), 0)
	c, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		return nil, errorf.Errorf("bcrypt key schedule: %w", err)
	}
	for round := range uint32(1) << p.Iterations {
		if round%bcryptPause == bcryptPause-1 {
			if err := pause(); err != nil {
				return nil, err
			}
		}
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(salt, c)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < len(text); i += blowfish.BlockSize {
		for range 64 {
			c.Encrypt(text[i:], text[i:])
		}
	}
	return text[:bcryptKeyLen], nil
}
