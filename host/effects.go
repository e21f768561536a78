package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host/internal/bound"
)

var _ djuser.Effects = (*effects)(nil)

// effects is what one operation may ask for.
type effects struct {
	host  *Host
	held  int64 // of the hashing budget, while the rules hash in place
	wrote bool  // something that may write was sent to the database or the storage

	mayBeOld bool // rows within Config.MaxStaleness do
	fresh    bool // though others may, these rows may not be
	old      bool // some were
}

// keep lets go of the client from the first write on, that one included: what
// follows it, such as the cache's part of a logout, must happen as well. A
// client that went away before does not begin to write.
func (fx *effects) keep(ctx context.Context, writes bool) context.Context {
	if fx.wrote || writes && ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	fx.wrote = fx.wrote || writes
	return ctx
}

// writes reports whether a statement may write: whatever is no SELECT.
func writes(s query.Statement) bool {
	const word = "SELECT"
	text := strings.TrimSpace(s.SQL)
	return len(text) < len(word) || !strings.EqualFold(text[:len(word)], word)
}

// Now is the time of this machine.
func (fx *effects) Now() time.Time { return time.Now().UTC() }

// maxRandom is far above what a rule asks for; a module may ask for anything.
const maxRandom = 4096

func (fx *effects) Random(_ context.Context, n int) ([]byte, error) {
	if n < 0 || n > maxRandom {
		return nil, fmt.Errorf("%w: %d bytes were asked for", djsession.ErrNoRandomness, n)
	}
	b := make([]byte, n)
	_, err := rand.Read(b) // never fails since Go 1.24
	return b, err
}

// Query passes on to the database, with a deadline, and logs what it could
// not answer. A broken uniqueness rule is an answer.
func (fx *effects) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	start := time.Now()
	ctx = fx.keep(ctx, slices.ContainsFunc(statements, writes))
	deadline := bound.New(ctx, start.Add(fx.host.timeout))
	defer deadline.Stop()
	results, err := fx.ask(deadline, start, atomic, statements)
	if err == nil || errors.Is(err, query.ErrDuplicate) {
		return results, err
	}
	level := slog.LevelError
	if ctx.Err() != nil { // the client went away; nothing is wrong with the database
		level = slog.LevelDebug
	}
	names := make([]string, len(statements))
	for i, s := range statements {
		names[i] = s.Name
	}
	fx.host.log.LogAttrs(ctx, level, "the database did not answer",
		slog.Any("statements", names), slog.Any("error", err), slog.Duration("took", time.Since(start)))
	return nil, err
}

// ask is the database's Query, or that of the rows that are kept.
func (fx *effects) ask(ctx context.Context, now time.Time, atomic bool, statements []query.Statement) ([]query.Result, error) {
	h := fx.host
	if h.recent == nil {
		return h.db.Query(ctx, atomic, statements...)
	}
	results, old, err := h.recent.Query(ctx, now, !fx.mayBeOld || fx.fresh, h.db.Query, atomic, statements...)
	fx.old = fx.old || old
	return results, err
}

// Storage passes on to the cache or the files, as Query does to the database.
func (fx *effects) Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	if fx.host.storage == nil {
		return djsession.StorageResult{}, errNoStorage
	}
	start := time.Now()
	ctx = fx.keep(ctx, op.Kind != djsession.CacheGet && op.Kind != djsession.FileGet)
	deadline, cancel := context.WithTimeout(ctx, fx.host.timeout)
	defer cancel()
	result, err := fx.host.storage.Storage(deadline, op)
	if err == nil {
		// Anybody who can write to the cache may leave anything there. It is
		// refused for its size before a message to a module is made of it.
		if op.Kind == djsession.CacheGet && len(result.Value) > fx.host.maxValue {
			result.Value = strings.Clone(result.Value[:fx.host.maxValue])
		}
		return result, nil
	}
	level := slog.LevelError
	if ctx.Err() != nil {
		level = slog.LevelDebug
	}
	fx.host.log.LogAttrs(ctx, level, "the session storage did not answer",
		slog.String("operation", op.Kind.String()), slog.Any("error", err), slog.Duration("took", time.Since(start)))
	return djsession.StorageResult{}, err
}

var errNoStorage = errors.New("session_storage: none is configured")

// DeriveKey waits for its turn, and then either hashes or leaves it to the
// rules, who keep the turn until the operation ends.
func (fx *effects) DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	ctx = fx.keep(ctx, false)
	if fx.host.kdf != KDFModule {
		return fx.host.hashes.derive(ctx, p, secret, salt)
	}
	weight := fx.host.hashes.weight(p.MemoryBytes())
	if fx.held < weight {
		fx.release()
		if err := fx.host.hashes.acquire(ctx, weight); err != nil {
			return nil, err
		}
		fx.held = weight
	}
	return nil, password.ErrDeclined
}

// Yield lets others run, and stops a hashing that nobody waits for any more.
func (fx *effects) Yield(ctx context.Context) error {
	if ctx = fx.keep(ctx, false); ctx.Err() != nil {
		return abandoned(ctx)
	}
	runtime.Gosched()
	return nil
}

// release gives the turn back.
func (fx *effects) release() {
	fx.host.hashes.release(fx.held)
	fx.held = 0
}
