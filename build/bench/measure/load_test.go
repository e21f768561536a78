package measure

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answers is a server that says the cookie back: with a length, in chunks, or with a connection for each answer.
func answers(t *testing.T, seen func(cookie string)) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie := r.Header.Get("Cookie")
		if seen != nil {
			seen(cookie)
		}
		switch r.URL.Path {
		case "/chunks":
			fmt.Fprint(w, "hello ")
			w.(http.Flusher).Flush()
		case "/close":
			w.Header().Set("Connection", "close")
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/slow":
			time.Sleep(50 * time.Millisecond)
		}
		fmt.Fprintf(w, "%s %s", r.URL.Path, cookie)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestLoad(t *testing.T) {
	addr := answers(t, nil)
	for _, path := range []string{"/length", "/chunks", "/close"} {
		l := Load{Addr: addr, Connections: 3, Duration: 50 * time.Millisecond,
			Requests: []Request{NewRequest(addr, path, "a=1", 200, path+" a=1"), NewRequest(addr, path, "a=2", 200, "a=2")}}
		sent, err := l.Run(t.Context())
		if err != nil {
			t.Fatal(path, err)
		}
		if sent.Finished < 2 || len(sent.Millis) != sent.Finished || sent.Elapsed < l.Duration {
			t.Errorf("%s: %d finished in %v, %d times", path, sent.Finished, sent.Elapsed, len(sent.Millis))
		}
	}
	l := Load{Addr: addr, Connections: 1, Once: true, Requests: []Request{NewRequest(addr, "/empty", "", 204, ""), NewPost(addr, "/x", `{}`, 200)}}
	if sent, err := l.Run(t.Context()); err != nil || sent.Finished != 2 {
		t.Error(sent, err)
	}
}

func TestLoadOnce(t *testing.T) {
	var mu sync.Mutex
	count := map[string]int{}
	addr := answers(t, func(cookie string) {
		mu.Lock()
		defer mu.Unlock()
		count[cookie]++
	})
	l := Load{Addr: addr, Connections: 4, Once: true}
	for i := range 100 {
		l.Requests = append(l.Requests, NewRequest(addr, "/", fmt.Sprint("n=", i), 200, fmt.Sprint("n=", i)))
	}
	if sent, err := l.Run(t.Context()); err != nil || sent.Finished != 100 || len(count) != 100 {
		t.Errorf("%d finished, %d cookies, %v", sent.Finished, len(count), err)
	}
}

// A wrong answer ends the load, whatever is wrong with it.
func TestLoadWrongAnswer(t *testing.T) {
	addr := answers(t, nil)
	for _, r := range []Request{NewRequest(addr, "/", "a=1", 401, ""), NewRequest(addr, "/", "a=1", 200, "a=2")} {
		l := Load{Addr: addr, Connections: 2, Duration: time.Minute, Requests: []Request{r}}
		if sent, err := l.Run(t.Context()); err == nil {
			t.Errorf("%d are right", sent.Finished)
		}
	}
}

// At a rate a request counts from when it should have begun, so that a slow server cannot hide behind its own slowness.
func TestLoadAtRate(t *testing.T) {
	var begun atomic.Int64
	addr := answers(t, func(string) { begun.Add(1) })
	l := Load{Addr: addr, Connections: 1, Rate: 1000, Duration: 20 * time.Millisecond,
		Requests: []Request{NewRequest(addr, "/slow", "", 200, "")}}
	sent, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sent.Finished < 20 || Percentile(sent.Millis, 100) < 20*50-20 {
		t.Errorf("%d finished, the longest in %v ms", sent.Finished, Percentile(sent.Millis, 100))
	}
}
