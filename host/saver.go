package host

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
)

// ErrNotSaved is what writing a response gives once it became an error because
// its session could not be saved.
var ErrNotSaved = errors.New("the session was not saved, and the response is an error")

// saver saves the session before the head of the response goes out.
type saver struct {
	http.ResponseWriter
	request *http.Request
	visit   *visit
	before  http.Header // as it was before the handler
	begun   bool
	refused bool // it became an error; what the handler writes is dropped
}

// save is done once, with the first status that is no 1xx.
func (s *saver) save(status int) {
	if s.begun {
		return
	}
	s.begun = true
	// A client that goes away must not leave it half done.
	result, vary := s.visit.save(context.WithoutCancel(s.request.Context()), status)
	header := s.Header()
	if result != nil && result.Decision.Outcome != gate.Allow {
		s.refused = true
		clear(header)
		maps.Copy(header, s.before)
		addVary(header)
		s.visit.host.refuse(s.ResponseWriter, s.request, &result.Decision)
		return
	}
	if vary {
		addVary(header)
	}
	if result == nil || len(result.Decision.Cookies) == 0 && result.SessionKey != "" {
		return
	}
	// What a login or a check has set before is out of date.
	if earlier := header["Set-Cookie"]; len(earlier) > 0 {
		name := s.visit.host.cookie + "="
		header["Set-Cookie"] = slices.DeleteFunc(slices.Clone(earlier), func(cookie string) bool { return strings.HasPrefix(cookie, name) })
	}
	setCookies(s.ResponseWriter, &result.Decision)
}

// addVary is Django's patch_vary_headers.
func addVary(header http.Header) {
	for _, line := range header["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Cookie") {
				return
			}
		}
	}
	header.Add("Vary", "Cookie")
}

// Unwrap is for [http.ResponseController].
func (s *saver) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *saver) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		s.save(status)
	}
	if !s.refused {
		s.ResponseWriter.WriteHeader(status)
	}
}

func (s *saver) Write(b []byte) (int, error) {
	s.save(http.StatusOK)
	if s.refused {
		return 0, ErrNotSaved
	}
	return s.ResponseWriter.Write(b)
}

// ReadFrom lets the server send a file by itself.
func (s *saver) ReadFrom(r io.Reader) (int64, error) {
	s.save(http.StatusOK)
	if s.refused {
		return 0, ErrNotSaved
	}
	return io.Copy(s.ResponseWriter, r)
}

func (s *saver) Flush() { _ = s.FlushError() }

func (s *saver) FlushError() error {
	s.save(http.StatusOK)
	if s.refused {
		return ErrNotSaved
	}
	return http.NewResponseController(s.ResponseWriter).Flush()
}

// Hijack saves as for a response that switches protocols.
func (s *saver) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	s.save(http.StatusSwitchingProtocols)
	if s.refused {
		return nil, nil, ErrNotSaved
	}
	return http.NewResponseController(s.ResponseWriter).Hijack()
}

// Push does not begin the response.
func (s *saver) Push(target string, options *http.PushOptions) error {
	for w := s.ResponseWriter; ; {
		if pusher, ok := w.(http.Pusher); ok {
			return pusher.Push(target, options)
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return http.ErrNotSupported
		}
		w = inner.Unwrap()
	}
}
