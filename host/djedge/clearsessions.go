package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/djedge/djedge/djuser/gate"
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

	result := h.Do(ctx, &abi.Op{Kind: abi.OpClearExpired})
	if d := &result.Decision; d.Outcome != gate.Allow {
		err = &gate.Denied{Reason: d.Reason, Detail: d.Detail}
	}
	if err != nil {
		return fmt.Errorf("clearsessions: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s expired sessions deleted\n", result.Text)
	return err
}
