// Command kdfguest derives keys as it is told, so that one program can be
// measured natively and, built with GOOS=wasip1 GOARCH=wasm, in any WebAssembly
// engine. It is a WASI command: it exports _start and needs nothing but
// standard input and output and the monotonic clock.
//
// Each line of standard input is a derivation, eight fields between single
// spaces:
//
//	function iterations memory parallelism n r password salt
//
// The function is pbkdf2_sha256, pbkdf2_sha1, argon2d, argon2i, argon2id,
// bcrypt or scrypt. Iterations are PBKDF2's rounds, argon2's t and bcrypt's
// cost; memory is argon2's m in KiB; parallelism is the p of argon2 and scrypt;
// n and r are scrypt's. What a function does not have is 0. Password and salt
// are taken as they stand, so they hold no space; bcrypt's salt is 16 bytes.
//
// The answer to each, on standard output and before the next line is read, is
// the derived key in hexadecimal (64 bytes of scrypt, 32 of argon2 and
// PBKDF2-SHA256, 23 of bcrypt, 20 of PBKDF2-SHA1), a space, and the
// nanoseconds that the monotonic clock says it took. Derivations share one
// [password.Arena]. wazero's clock stands still unless WithSysNanotime is set.
//
// At the end of the input the exit code is 0. A line that cannot be read is
// answered by "error: " and a text, and ends the program with code 1.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djuser/password"
)

var functions = map[string]password.Params{
	"pbkdf2_sha256": {Function: password.PBKDF2SHA256, KeyLen: 32},
	"pbkdf2_sha1":   {Function: password.PBKDF2SHA1, KeyLen: 20},
	"argon2d":       {Function: password.Argon2d, KeyLen: 32, Version: 0x13},
	"argon2i":       {Function: password.Argon2i, KeyLen: 32, Version: 0x13},
	"argon2id":      {Function: password.Argon2id, KeyLen: 32, Version: 0x13},
	"bcrypt":        {Function: password.Bcrypt, KeyLen: 23},
	"scrypt":        {Function: password.Scrypt, KeyLen: 64},
}

func main() {
	var arena password.Arena
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		p, secret, salt, err := parse(lines.Text())
		start := time.Now()
		var key []byte
		if err == nil {
			key, err = arena.Derive(context.Background(), nil, p, secret, salt)
		}
		took := time.Since(start)
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(hex.EncodeToString(key), took.Nanoseconds())
	}
	if err := lines.Err(); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func parse(line string) (p password.Params, secret, salt []byte, err error) {
	fields := strings.Split(line, " ")
	if len(fields) != 8 {
		return p, nil, nil, fmt.Errorf("%d fields where 8 are wanted", len(fields))
	}
	p, known := functions[fields[0]]
	if !known {
		return p, nil, nil, fmt.Errorf("unknown function %q", fields[0])
	}
	for i, into := range []*uint32{&p.Iterations, &p.Memory, &p.Parallelism, &p.N, &p.R} {
		n, err := strconv.ParseUint(fields[i+1], 10, 32)
		if err != nil {
			return p, nil, nil, fmt.Errorf("field %d: %w", i+2, err)
		}
		*into = uint32(n)
	}
	return p, []byte(fields[6]), []byte(fields[7]), nil
}
