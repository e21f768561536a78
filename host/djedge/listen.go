package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	httpserve "github.com/djedge/djedge/host/serve"
)

// shutdownTimeout is how long running requests may take to finish after SIGTERM.
const shutdownTimeout = 10 * time.Second

// listener is an address, the setting that named it, and what answers there.
type listener struct {
	setting, address string
	handler          http.Handler
}

// check refuses an address that can never be listened on, before anything is
// opened. None at all is for others to judge.
func (l listener) check(ctx context.Context) error {
	if l.address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(l.address)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	if err != nil {
		return configf("%s: must be HOST:PORT, such as 127.0.0.1:8080: %w", l.setting, err)
	}
	return nil
}

// listenAndServe serves until ctx is done, gives signals back with stop, and
// serves on until running requests have ended, for as long as grace; what is
// left is cut off, since whoever stops a server may not wait. ready is called
// with the address of the first listener when all of them listen.
func listenAndServe(ctx context.Context, stop func(), grace time.Duration, listeners []listener, log *slog.Logger, ready func(address string)) error {
	failed := make(chan error, len(listeners))
	servers := make([]*http.Server, 0, len(listeners))
	defer func() {
		for _, server := range servers {
			server.Close()
		}
	}()
	first := ""
	for _, l := range listeners {
		socket, err := net.Listen("tcp", l.address)
		if err != nil {
			return fmt.Errorf("%s: %w", l.setting, err)
		}
		first = cmp.Or(first, socket.Addr().String())
		server := httpserve.NewServer(l.handler)
		server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
		servers = append(servers, server)
		log.Info("listening", "address", socket.Addr().String(), "setting", l.setting)
		go func() { failed <- server.Serve(httpserve.Listen(socket)) }()
	}
	ready(first)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop() // before the log says so
	log.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	var all error
	for i, server := range servers {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			log.Warn("requests were cut off, which had not ended in time", "setting", listeners[i].setting, "after", grace)
			err = server.Close()
		}
		all = errors.Join(all, err)
	}
	return all
}

// isLoopback reports whether a listen address is reachable from this machine only.
func isLoopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && ip.IsLoopback()
}
