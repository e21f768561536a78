package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/module"
	httpserve "github.com/djedge/djedge/host/serve"
)

// serveCommand runs the server until SIGINT or SIGTERM, or until ctx is done.
func serveCommand(ctx context.Context, p *process) (err error) {
	c, err := loadConfig(p)
	if err != nil {
		return err
	}
	log, err := c.logger(p.stderr)
	if err != nil {
		return err
	}
	c.host.Logger = log
	c.host.Hasher = c.hashProcess(p.self, log)
	for _, l := range []listener{{setting: "listen", address: c.listen}, {setting: "admin_listen", address: c.adminListen}} {
		if err := l.check(ctx); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second signal ends the process at once

	site := openSite
	if c.demo {
		site = openDemo
	}
	h, db, closeHost, err := c.openHost(ctx, site, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped before it was ready", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeHost()) }()
	c.warn(ctx, db, log)

	metrics := httpserve.NewMetrics()
	handler, err := c.handler(h, metrics, log)
	if err != nil {
		return err
	}
	listeners := []listener{{"listen", c.listen, handler}}
	if c.adminListen != "" {
		listeners = append(listeners, listener{"admin_listen", c.adminListen, httpserve.NewAdmin(metrics, h.Ping)})
	}
	return listenAndServe(ctx, stop, shutdownTimeout, listeners, log, func(address string) {
		if c.demo {
			announceDemo(log, address)
		}
	})
}

// openHost opens the database, the storage and the host on them. closeAll
// closes the three.
func (c *config) openHost(ctx context.Context, site func(context.Context, *config, *slog.Logger) (host.DB, func() error, error), log *slog.Logger,
) (h *host.Host, db host.DB, closeAll func() error, err error) {
	var closers []func() error
	closeOpened := func() (err error) {
		for _, f := range slices.Backward(closers) {
			err = errors.Join(err, f())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeOpened())
		}
	}()
	db, closeDB, err := site(ctx, c, log)
	if err != nil {
		return nil, nil, nil, err
	}
	closers = append(closers, closeDB)
	if c.host.Storage, err = openStorage(ctx, c); err != nil {
		return nil, nil, nil, err
	}
	if c.host.Storage != nil {
		closers = append(closers, c.host.Storage.Close)
	}
	if h, err = c.newHost(ctx, db, log); err != nil {
		return nil, nil, nil, err
	}
	closers = append(closers, h.Close)
	if err := ctx.Err(); err != nil { // not everything above looks
		return nil, nil, nil, err
	}
	return h, db, closeOpened, nil
}

// newHost makes the host with the configured engine and keys.
func (c *config) newHost(ctx context.Context, db host.DB, log *slog.Logger) (*host.Host, error) {
	keys, err := c.keys.signingKeys()
	switch {
	case err != nil:
		return nil, err
	case keys == nil && c.secretKey == "":
		return nil, configf("secret_key_file is missing: the file that holds Django's SECRET_KEY")
	case keys != nil && (c.secretKey != "" || len(c.host.SecretKeyFallbacks) > 0):
		return nil, configf("secret_key and derived keys (key_session …) are both given")
	}
	cfg := c.host
	cfg.DB, cfg.Keys, cfg.SecretKey = db, keys, c.secretKey
	cfg.Loopback = isLoopback(c.listen)
	switch c.kdf {
	case "host":
		cfg.KDF = host.KDFHost
	case "module":
		cfg.KDF = host.KDFModule
	default:
		return nil, configf("kdf must be host or module")
	}
	switch c.engine {
	case "native":
		cfg.Engine = host.Native()
	case "wasm":
		if _, err := modules.WASM(); err != nil {
			return nil, fmt.Errorf("engine wasm: %w", err)
		}
		cfg.Engine = module.New(module.Config{CacheDir: moduleCache(c.cacheDir, log), Logger: log, HostHashes: cfg.KDF == host.KDFHost, HashQueueTimeout: cfg.HashQueueTimeout})
	default:
		return nil, configf("engine must be wasm or native")
	}
	h, err := host.New(ctx, cfg)
	switch {
	case err == nil:
		return h, nil
	case transient(ctx, db, err):
		return nil, err
	}
	return nil, &exitError{exitConfig, err}
}

// transient reports whether err, of host.New, may mend itself: there was no
// time, somebody holds a lock on the file, or the database is gone, as far as a
// second question can tell.
func transient(ctx context.Context, db host.DB, err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var sqlite interface {
		error
		Code() int
	}
	if errors.As(err, &sqlite) {
		switch sqlite.Code() & 0xff {
		case 5, 6, 9: // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT
			return true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return db != nil && db.Ping(ctx) != nil
}

// handler is the public one.
func (c *config) handler(h *host.Host, metrics *httpserve.Metrics, log *slog.Logger) (http.Handler, error) {
	var trusted []netip.Prefix
	for _, text := range c.trustedProxies {
		prefix, err := parsePrefix(text)
		if err != nil {
			return nil, configf("trusted_proxies: %q is not a network such as 10.0.0.0/8", text)
		}
		trusted = append(trusted, prefix)
	}
	off := func(n int) int { // 0 turns a limit off here, and is the default there
		if n <= 0 {
			return -1
		}
		return n
	}
	handler, err := httpserve.New(httpserve.Config{
		Host:              h,
		API:               c.api,
		HiddenSessionKeys: []string{c.host.SessionKeyHash, "_csrftoken"},
		TrustedProxies:    trusted,
		Rules:             len(c.host.Rules) > 0,
		ForwardedHeaders:  c.forwardedHeaders,
		LoginURL:          c.loginURL,
		RedirectHosts:     hostsOf(c.host.PublicOrigins),
		CSRFHeaderName:    c.host.CSRFHeaderName,
		Limits: httpserve.Limits{
			PasswordRequests: off(c.passwordRequests),
			UserFailures:     off(c.userFailures),
			PasswordBytes:    c.host.Limits.PasswordBytes,
		},
		Metrics: metrics,
		Logger:  log,
	})
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	return handler, nil
}

// hostsOf is the hosts of origins, as a URL has them.
func hostsOf(origins []string) []string {
	hosts := make([]string, 0, len(origins))
	for _, origin := range origins {
		scheme, name, _ := strings.Cut(strings.ToLower(origin), "://")
		hosts = append(hosts, strings.TrimSuffix(name, map[string]string{"http": ":80", "https": ":443"}[scheme]))
	}
	return hosts
}

// parsePrefix reads a network, or one address.
func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}

// logger writes to w as configured.
func (c *config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return nil, configf("log_level must be debug, info, warn or error")
	}
	options := &slog.HandlerOptions{Level: level}
	format := c.logFormat
	if format == "auto" {
		format = "json"
		if file, ok := w.(*os.File); ok {
			if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				format = "text"
			}
		}
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, configf("log_format must be auto, text or json")
}
