package module

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/wasm/abi"
)

// The module's exports; docs/abi.md describes them. fuel is the counter that
// ends loops.
const (
	fnInitialize = "_initialize"
	fnABI        = "djedge_abi"
	fnBuffer     = "djedge_buffer"
	fnAlloc      = "djedge_alloc"
	fnFree       = "djedge_free"
	fnConfigure  = "djedge_configure"
	fnBegin      = "djedge_begin"
	fnResume     = "djedge_resume"
	fnCancel     = "djedge_cancel"
	fuelGlobal   = "djedge_fuel"
)

var (
	// errLost means that the instance is gone, and with it the operation.
	errLost    = errors.New("the module's instance was lost")
	errTooLong = errors.New("a message for the module is too long")
	// errAlone means that the operation would keep its neighbours in a shared
	// instance waiting, and nothing of it was written.
	errAlone = errors.New("the operation must run in an instance of its own")
)

// maxShared is the size in bytes of a message above which an operation leaves
// a shared instance: reading a session of a megabyte takes the rules so long
// that whoever has the cookie could stop everybody else's requests.
const maxShared = 64 << 10

// keepFrame is the capacity in bytes above which a message's buffer is not kept.
const keepFrame = 64 << 10

// instance is one running copy of the module. Only the goroutine that has its
// turn may be inside.
type instance struct {
	lane *lane
	turn chan struct{} // one slot, full while somebody is inside

	left struct { // parked operations that nobody waits for, to be cancelled
		sync.Mutex
		handles []uint32
		some    atomic.Bool // there are handles
	}

	started bool
	lost    error // why it must not be called again

	module  api.Module
	memory  api.Memory
	fuel    api.MutableGlobal
	exports struct{ alloc, free, begin, resume, cancel api.Function }
	printed *printed
	size    atomic.Uint32 // of its memory in bytes

	buffer, bufferLen uint32 // of the guest, for ordinary messages
	frame             []byte // the message being sent
	stack             [3]uint64

	// Guarded by the lane's lock.
	inFlight, served int
	born             time.Time
	retired          bool // takes nothing more
	hashed           bool // a memory-hard hash was computed in it
}

// message is a decoded answer: a result, or effects to answer.
type message struct {
	result  *abi.Result
	handle  uint32
	effects []abi.Effect
}

func newInstance(l *lane) *instance {
	return &instance{lane: l, turn: make(chan struct{}, 1), born: time.Now()}
}

// enter waits for the turn, at most as long as the lane's requests wait for a
// place; leave must follow unless it is an error: errBusy or the context's.
func (in *instance) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case in.turn <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(in.lane.wait)
	defer timer.Stop()
	select {
	case in.turn <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave ends the turn, after what was left behind meanwhile.
func (in *instance) leave() {
	for {
		in.sweep()
		<-in.turn
		if !in.littered() {
			return
		}
		select {
		case in.turn <- struct{}{}:
		default:
			return // whoever is inside now sweeps
		}
	}
}

// begin starts an operation. One that may move is refused by errAlone when
// its message is large, and in resume too.
func (in *instance) begin(ctx context.Context, start *abi.Start, op *abi.Op, mayMove bool) (message, error) {
	if err := in.enter(ctx); err != nil {
		return message{}, err
	}
	defer in.leave()
	if err := in.ready(); err != nil {
		return message{}, err
	}
	in.frame = abi.AppendBegin(in.frame[:0], start, op)
	return in.exchange(in.exports.begin, 0, mayMove, nil)
}

// resume goes on with a parked operation, which is still parked after errAlone,
// errBusy, errTooLong and an error of the context.
func (in *instance) resume(ctx context.Context, handle uint32, start *abi.Start, answers []abi.Answer, mayMove bool) (message, error) {
	if err := in.enter(ctx); err != nil {
		return message{}, err
	}
	defer in.leave()
	if err := in.ready(); err != nil {
		return message{}, err
	}
	in.frame = abi.AppendResume(in.frame[:0], start, answers...)
	m, err := in.exchange(in.exports.resume, handle, mayMove, answers)
	if err == nil && m.result == nil && m.handle != handle {
		return message{}, in.lose(errors.New("the answer is for another operation"))
	}
	return m, err
}

// cancel gives a parked operation up. When somebody is inside it does not
// wait, but leaves that to them.
func (in *instance) cancel(handle uint32) {
	in.left.Lock()
	in.left.handles = append(in.left.handles, handle)
	in.left.some.Store(true)
	in.left.Unlock()
	select {
	case in.turn <- struct{}{}:
		in.leave()
	default:
	}
}

func (in *instance) littered() bool { return in.left.some.Load() }

func (in *instance) sweep() {
	if !in.littered() {
		return
	}
	in.left.Lock()
	handles := in.left.handles
	in.left.handles = nil
	in.left.some.Store(false)
	in.left.Unlock()
	for _, handle := range handles {
		if in.lost != nil || !in.started {
			return
		}
		in.stack[0] = uint64(handle)
		if err := in.call(in.exports.cancel, in.stack[:1]); err != nil {
			in.lose(err)
		}
	}
}

// exchange sends in.frame, which has these answers, and decodes what comes back.
// handle is 0 for begin.
func (in *instance) exchange(f api.Function, handle uint32, mayMove bool, answers []abi.Answer) (message, error) {
	var refused error // no fault of the instance, which serves on
	switch n := len(in.frame); {
	case mayMove && n > maxShared:
		refused = errAlone
	case n > abi.MaxFrame:
		refused = errTooLong
	}
	if refused != nil {
		clear(in.frame)
		in.frame = nil
		return message{}, refused
	}
	var m message
	answer, err := in.send(f, handle)
	if err == nil {
		m, err = in.decode(answer, answers)
	}
	if err != nil {
		return message{}, in.lose(err)
	}
	return m, nil
}

func (in *instance) decode(frame []byte, answers []abi.Answer) (m message, err error) {
	switch abi.KindOf(frame) {
	case abi.FrameAllowed:
		var results []query.Result
		if len(answers) == 1 {
			results = answers[0].Results
		}
		m.result, err = in.lane.allowed(frame, results)
	case abi.FrameDone:
		m.result, err = in.lane.table.DecodeDone(frame)
	case abi.FrameEffects:
		m.handle, m.effects, err = abi.DecodeEffects(frame, in.lane.table)
	default:
		err = errors.New("the module answered with neither a result nor effects")
	}
	return m, err
}

// send copies in.frame into the guest and calls f, with a handle unless that
// is 0. The answer is the guest's memory: it is valid until the next call.
func (in *instance) send(f api.Function, handle uint32) ([]byte, error) {
	n := uint32(len(in.frame))
	at := in.buffer
	if n > in.bufferLen {
		in.stack[0] = uint64(n)
		if err := in.call(in.exports.alloc, in.stack[:]); err != nil {
			return nil, err
		}
		at = uint32(in.stack[0])
	}
	ok := at != 0 && in.memory.Write(at, in.frame)
	clear(in.frame) // it may hold a password
	if cap(in.frame) > keepFrame {
		in.frame = nil
	}
	if !ok {
		return nil, errors.New("the module gave no buffer for a message")
	}
	arguments := in.stack[:0]
	if handle != 0 {
		arguments = append(arguments, uint64(handle))
	}
	arguments = append(arguments, uint64(at), uint64(n))
	if err := in.call(f, in.stack[:len(arguments)]); err != nil {
		return nil, err
	}
	packed := in.stack[0]
	if at != in.buffer {
		in.stack[0] = uint64(at)
		if err := in.call(in.exports.free, in.stack[:1]); err != nil {
			return nil, err
		}
	}
	frame, ok := in.memory.Read(uint32(packed>>32), uint32(packed))
	if !ok {
		return nil, errors.New("the module's answer is outside of its memory")
	}
	return frame, nil
}

// call runs an export with a full counter. It has no deadline of its own and
// follows no client's: see Config.Timeout.
func (in *instance) call(f api.Function, stack []uint64) error {
	in.fuel.Set(uint64(in.lane.steps))
	if err := f.CallWithStack(context.Background(), stack); err != nil {
		if in.fuel.Get() == 0 {
			return fmt.Errorf("the module did not come to an end within %d iterations", in.lane.steps)
		}
		return err
	}
	in.size.Store(in.memory.Size())
	return nil
}

// ready starts the instance when it is called for the first time.
func (in *instance) ready() error {
	if in.lost != nil {
		return errLost
	}
	if in.started {
		return nil
	}
	in.started = true
	if err := in.start(); err != nil {
		return in.lose(err)
	}
	return nil
}

func (in *instance) start() error {
	l := in.lane
	in.printed = &printed{}
	// The guest has no clock and no files. Its random source seeds nothing but
	// the hashes of Go's maps; secrets are made of what comes with an effect.
	mc := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithRandSource(rand.Reader).WithStdout(in.printed).WithStderr(in.printed).
		WithEnv("GOMEMLIMIT", fmt.Sprintf("%dMiB", l.memoryMiB*3/4)) // collect garbage before giving up
	ctx := experimental.WithMemoryAllocator(context.Background(), allocator(uint64(l.memoryMiB)<<20, l.begin))
	module, err := l.runtime.InstantiateModule(ctx, l.compiled, mc)
	if err != nil {
		return fmt.Errorf("start the module: %w", err)
	}
	in.module, in.memory = module, module.Memory()
	l.began(in.memory)
	if _, err := module.ExportedFunction(fnInitialize).Call(ctx); err != nil {
		return fmt.Errorf("start the module: %w", err)
	}
	x := &in.exports
	x.alloc, x.free = module.ExportedFunction(fnAlloc), module.ExportedFunction(fnFree)
	x.begin, x.resume, x.cancel = module.ExportedFunction(fnBegin), module.ExportedFunction(fnResume), module.ExportedFunction(fnCancel)
	fuel, ok := module.ExportedGlobal(fuelGlobal).(api.MutableGlobal)
	if !ok {
		return fmt.Errorf("the module has no counter %s: build it with make modules", fuelGlobal)
	}
	in.fuel = fuel
	if err := in.call(module.ExportedFunction(fnABI), in.stack[:]); err != nil {
		return err
	}
	if version := uint32(in.stack[0]); version != abi.Version {
		return fmt.Errorf("the module speaks version %d of the ABI, this program %d", version, abi.Version)
	}
	if err := in.call(module.ExportedFunction(fnBuffer), in.stack[:]); err != nil {
		return err
	}
	in.buffer, in.bufferLen = uint32(in.stack[0]>>32), uint32(in.stack[0])
	in.frame = append(in.frame[:0], l.settings...)
	answer, err := in.send(module.ExportedFunction(fnConfigure), 0)
	if err != nil {
		return err
	}
	return l.accept(answer)
}

// lose ends the instance: whatever it did wrong, its memory is not trusted again.
func (in *instance) lose(why error) error {
	if in.lost == nil {
		in.lost = why
		if in.lane.configured != nil { // else Configure returns it
			in.lane.Logger.Error("module instance lost", "lane", in.lane.name, "error", why.Error(), "printed", in.printed.String())
		}
		in.lane.forget(in)
	}
	return errLost
}

// close frees the instance's memory. Nothing of it is called afterwards.
func (in *instance) close() {
	in.turn <- struct{}{}
	defer func() { <-in.turn }()
	if in.lost == nil {
		in.lost = errLost
	}
	if in.module != nil {
		if err := in.module.Close(context.Background()); err != nil {
			in.lane.Logger.Error("module instance not closed", "lane", in.lane.name, "error", err.Error())
		}
		in.module, in.memory = nil, nil
	}
}
