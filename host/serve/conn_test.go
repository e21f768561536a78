package serve

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// pair is a connection of Listen and its other end.
func pair(t *testing.T) (*conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := Listen(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return server.(*conn), client
}

// Deadlines are met as those of package net are, though they are set late.
func TestConnDeadlines(t *testing.T) {
	server, client := pair(t)
	arms := 0
	for _, d := range []*direction{&server.in, &server.out} {
		arm := d.arm
		d.arm = func(t time.Time) error { arms++; return arm(t) }
	}
	b := make([]byte, 16)
	read := func(want string) {
		t.Helper()
		n, err := server.Read(b)
		if got := string(b[:n]); got != want || (want == "") != errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
	in := func(d time.Duration) { server.SetReadDeadline(time.Now().Add(d)) }

	in(20 * time.Millisecond)
	read("")
	io.WriteString(client, "a")
	in(time.Hour) // later than the one that was met
	read("a")
	in(20 * time.Millisecond) // sooner again
	read("")
	server.SetReadDeadline(time.Time{}) // none
	io.WriteString(client, "b")
	read("b")
	// One that is pushed on costs nothing, and the one that is armed, when it comes, nobody anything.
	in(30 * time.Millisecond)
	io.WriteString(client, "c")
	read("c")
	arms = 0
	for i := range 100 {
		in(time.Hour + time.Duration(i))
		server.SetWriteDeadline(time.Now().Add(time.Hour))
	}
	if arms != 0 {
		t.Errorf("%d deadlines were set", arms)
	}
	time.AfterFunc(60*time.Millisecond, func() { io.WriteString(client, "d") })
	read("d")

	// While somebody reads, a deadline ends that, as net/http does it.
	in(time.Hour)
	for _, at := range []time.Time{time.Unix(1, 0), time.Now().Add(20 * time.Millisecond)} {
		time.AfterFunc(20*time.Millisecond, func() { server.SetReadDeadline(at) })
		read("")
		server.SetReadDeadline(time.Time{})
	}
	server.SetReadDeadline(time.Unix(1, 0))
	read("") // before it began

	// A write that nobody reads ends, and one that somebody reads late goes on
	// over a deadline that is not wanted any more.
	much := make([]byte, 32<<20)
	server.SetWriteDeadline(time.Now().Add(30 * time.Millisecond))
	n, err := server.Write(much)
	if n == len(much) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(n, err)
	}
	server.SetDeadline(time.Now().Add(50 * time.Millisecond))
	go func() {
		time.Sleep(20 * time.Millisecond)
		server.SetDeadline(time.Now().Add(time.Hour))
		time.Sleep(80 * time.Millisecond)
		io.CopyN(io.Discard, client, int64(n+len(much)))
	}()
	if n, err := server.Write(much); n != len(much) || err != nil {
		t.Error(n, err)
	}
}

// While a request without a body is answered, nobody reads what follows; after
// it the next request is there, whole, and a client that goes away is noticed
// by who may work for long.
func TestConnAnswering(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := Listen(l)
	gone := make(chan bool, 1)
	server := NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := r.Context().Value(connKey{}).(*conn); c.answering.Load() != (r.Body == http.NoBody) {
			t.Errorf("%s: %v", r.Method, c.answering.Load())
		}
		time.Sleep(time.Millisecond)
		if r.Method == http.MethodPost {
			io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/wait" {
				select {
				case <-r.Context().Done():
					gone <- true
				case <-time.After(10 * time.Second):
					gone <- false
				}
			}
		}
		io.WriteString(w, r.URL.Path)
	}))
	go server.Serve(listener)
	defer server.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// Requests one behind the other, cut at every place, across the server's buffer.
	one := "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	post := "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
	long := "GET /c HTTP/1.1\r\nHost: x\r\nCookie: " + strings.Repeat("y", 4096-len(one)-34) + "\r\n\r\n"
	all := one + long + post + one + post + long + one
	go func() {
		for i := 0; i < len(all); i += 7 {
			io.WriteString(client, all[i:min(i+7, len(all))])
		}
	}()
	r := bufio.NewReader(client)
	for _, want := range strings.Fields("/a /c /b /a /b /c /a") {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := io.ReadAll(response.Body); string(text) != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	io.WriteString(client, strings.Replace(post, "/b", "/wait", 1))
	time.Sleep(20 * time.Millisecond)
	client.Close()
	if !<-gone {
		t.Error("a client that went away was not noticed")
	}
}
