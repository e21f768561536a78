package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// listen serves s on a real socket.
func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(h)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// raw writes request, all of it before it reads, and returns the answer.
func raw(t *testing.T, address, request string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	io.WriteString(c, request) // the server may close early
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// What a request may look like on the wire, and what is answered.
func TestWire(t *testing.T) {
	h, err := New(Config{Host: nobody{}, API: Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	address := listen(t, h)
	post := "POST /api/login HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\n"
	mib := strings.Repeat("x", 1<<20)
	chunked := "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(mib), mib)
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"1 MiB", post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(mib), mib), 413},
		{"1 MiB in chunks", post + chunked, 413},
		{"1 MiB form", strings.Replace(post, "json", "xml", 1) + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(mib), mib), 415},
		{"announced only", post + "Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", 413},
		{"two types", post + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415},
		{"logout in chunks", strings.Replace(post, "login", "logout", 1) + chunked, 413},
		{"64 KiB of headers", "GET /auth HTTP/1.1\r\nHost: x\r\nCookie: " + mib[:80<<10] + "\r\n\r\n", 431},
		{"48 KiB of headers", "GET /auth HTTP/1.1\r\nHost: x\r\nCookie: " + mib[:48<<10] + "\r\n\r\n", 503},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"dots", "GET /auth/../api/me HTTP/1.1\r\nHost: x\r\n\r\n", 503}, // an /auth, and no redirect
		{"absolute", "GET http://y/auth HTTP/1.1\r\nHost: x\r\n\r\n", 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			if response := raw(t, address, test.request); response.StatusCode != test.status {
				text, _ := io.ReadAll(response.Body)
				t.Errorf("%d %s, want %d", response.StatusCode, text, test.status)
			}
		})
	}
}

// A request that a proxy may read as two ends its connection: what follows is
// not answered.
func TestWireClosesAfterChunks(t *testing.T) {
	h, err := New(Config{Host: nobody{}, API: Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	address := listen(t, h)
	next := "GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
	both := "POST /api/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	for request, answers := range map[string]int{
		both + next: 1,
		strings.Replace(both, "Content-Length: 5\r\n", "", 1) + next:                  1,
		"POST /api/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" + next: 2,
	} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, request)
		c.(*net.TCPConn).CloseWrite()
		text, _ := io.ReadAll(c)
		c.Close()
		if n := strings.Count(string(text), "HTTP/1.1 404"); n != answers || strings.Contains(string(text), "Connection: close") != (answers == 1) {
			t.Errorf("%q: %d answers, want %d:\n%s", request, n, answers, text)
		}
	}
}

// The same server runs inside a guest with sockets.
func TestBuildsForWASI(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	build := exec.Command("go", "build", ".")
	build.Env = append(build.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
