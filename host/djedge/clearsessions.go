package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// clearSessions is Django's clearsessions: run it once a day where Django does
// not. It takes the settings of serve, and prints how many sessions it deleted.
func clearSessions(ctx context.Context, p *process) (err error) {
	c, err := loadConfigFor(p, "clearsessions")
	if err != nil {
		return err
	}
	log, err := c.logger(p.stderr)
	if err != nil {
		return err
	}
	c.host.Logger = log
	h, _, closeHost, err := c.openHost(ctx, openSite, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeHost()) }()

	var n int64
	if djsession.Engine(c.host.SessionEngine) == djsession.EngineFile {
		n, err = clearFiles(ctx, h, c)
	} else {
		var result *abi.Result
		if result, err = operate(ctx, h, &abi.Op{Kind: abi.OpClearExpired}); err == nil {
			n, err = strconv.ParseInt(result.Text, 10, 64)
		}
	}
	if err != nil {
		return fmt.Errorf("clearsessions: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%d expired sessions deleted\n", n)
	return err
}

// operate is an operation that must succeed.
func operate(ctx context.Context, h *host.Host, op *abi.Op) (*abi.Result, error) {
	result := h.Do(ctx, op)
	if d := &result.Decision; d.Outcome != gate.Allow {
		return nil, &gate.Denied{Reason: d.Reason, Detail: d.Detail}
	}
	return result, nil
}

// clearFiles looks at each file, since a file does not say when it expires:
// what the rules find no session in is deleted. Other files of the folder,
// those of half-written sessions among them, are left alone.
func clearFiles(ctx context.Context, h *host.Host, c *config) (n int64, err error) {
	folder := c.filePath
	if folder == "" {
		folder = os.TempDir()
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		key, ok := strings.CutPrefix(file.Name(), c.host.SessionCookieName)
		if !ok || !file.Type().IsRegular() || len(key) < 8 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			continue
		}
		session := abi.Op{Kind: abi.OpSessionLoad, Request: gate.Request{
			Headers: []gate.Header{{Name: "Cookie", Value: c.host.SessionCookieName + "=" + key}},
		}}
		result, err := operate(ctx, h, &session)
		var denied *gate.Denied
		if errors.As(err, &denied) && strings.Contains(denied.Detail, djsession.ErrUnread.Error()) {
			continue // Django may read it
		}
		if err != nil {
			return n, err
		}
		if result.SessionKey != "" {
			continue
		}
		session.Kind = abi.OpSessionFlush
		if _, err := operate(ctx, h, &session); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
