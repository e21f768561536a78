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

	"github.com/djedge/djedge/wasm/abi"
)

// The module's exports; docs/abi.md describes them. fuel is the counter that
// ends loops.
const (
	fnABI       = "djedge_abi"
	fnBuffer    = "djedge_buffer"
	fnAlloc     = "djedge_alloc"
	fnFree      = "djedge_free"
	fnConfigure = "djedge_configure"
	fnBegin     = "djedge_begin"
	fnResume    = "djedge_resume"
	fnCancel    = "djedge_cancel"
	fuelGlobal  = "djedge_fuel"
)

var (
	// errLost means that the instance is gone, and with it the operation.
	errLost    = errors.New("the module's instance was lost")
	errTooLong = errors.New("a message for the module is too long")
)

// keepFrame is the capacity in bytes above which a message's buffer is not kept.
const keepFrame = 64 << 10

// instance is one running copy of the module. Every method takes the lock,
// since only one goroutine may be inside.
type instance struct {
	lane *lane

	mu      sync.Mutex
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

// begin starts an operation.
func (in *instance) begin(start *abi.Start, op *abi.Op) (message, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.ready(); err != nil {
		return message{}, err
	}
	in.frame = abi.AppendBegin(in.frame[:0], start, op)
	return in.exchange(in.exports.begin, 0)
}

// resume goes on with a parked operation.
func (in *instance) resume(handle uint32, start *abi.Start, answers []abi.Answer) (message, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.ready(); err != nil {
		return message{}, err
	}
	in.frame = abi.AppendResume(in.frame[:0], start, answers...)
	m, err := in.exchange(in.exports.resume, handle)
	if err == nil && m.result == nil && m.handle != handle {
		return message{}, in.lose(errors.New("the answer is for another operation"))
	}
	return m, err
}

// cancel gives a parked operation up.
func (in *instance) cancel(handle uint32) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.lost != nil || !in.started {
		return
	}
	in.stack[0] = uint64(handle)
	if err := in.call(in.exports.cancel, in.stack[:1]); err != nil {
		in.lose(err)
	}
}

// exchange sends in.frame and decodes the answer. handle is 0 for begin.
func (in *instance) exchange(f api.Function, handle uint32) (message, error) {
	if len(in.frame) > abi.MaxFrame {
		in.frame = nil
		return message{}, errTooLong // no fault of the instance, which serves on
	}
	var m message
	answer, err := in.send(f, handle)
	if err == nil {
		m, err = in.decode(answer)
	}
	if err != nil {
		return message{}, in.lose(err)
	}
	return m, nil
}

func (in *instance) decode(frame []byte) (m message, err error) {
	switch abi.KindOf(frame) {
	case abi.FrameDone:
		m.result, err = abi.DecodeDone(frame)
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
	mc := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").
		WithRandSource(rand.Reader).WithStdout(in.printed).WithStderr(in.printed).
		WithEnv("GOMEMLIMIT", fmt.Sprintf("%dMiB", l.memoryMiB*3/4)) // collect garbage before giving up
	ctx := experimental.WithMemoryAllocator(context.Background(), allocator(uint64(l.memoryMiB)<<20))
	module, err := l.runtime.InstantiateModule(ctx, l.compiled, mc)
	if err != nil {
		return fmt.Errorf("start the module: %w", err)
	}
	in.module, in.memory = module, module.Memory()
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
	in.mu.Lock()
	defer in.mu.Unlock()
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
