package testservers

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// TLS is the address of a proxy that speaks TLS, with a certificate that
// nobody has signed, in front of a server that does not.
func TLS(t testing.TB, backend string) (addr string) {
	t.Helper()
	cert, key, err := certificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			front, err := l.Accept()
			if err != nil {
				return
			}
			go forward(front, backend)
		}
	}()
	return l.Addr().String()
}

func forward(front net.Conn, addr string) {
	defer front.Close()
	back, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer back.Close()
	go func() {
		_, _ = io.Copy(back, front)
		_ = back.Close()
	}()
	_, _ = io.Copy(front, back)
}
