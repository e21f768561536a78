//go:build wasip1

package main

import (
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// main is not run: a host calls _initialize, and then the exports.
func main() {}

// The guest's whole state. An instance is used by one thread at a time, and
// what belongs to a request is in the machine alone.
var (
	machine *step.Machine
	out     []byte // the last answer, which the host reads before its next call; see fresh
)

// keepOut is the capacity in bytes above which the answer's buffer is not kept.
const keepOut = 1 << 20

//go:wasmexport djedge_abi
func version() uint32 { return abi.Version }

//go:wasmexport djedge_configure
func configure(ptr, size uint32) (packed uint64) {
	defer recovered(&packed)
	frame, ok := message(ptr, size)
	defer clear(frame) // it held keys
	if !ok {
		return refused(outside)
	}
	if machine != nil {
		return refused("the module is configured already")
	}
	settings, err := abi.DecodeConfigure(frame)
	if err != nil {
		return refused(err.Error())
	}
	rules, err := step.Configure(settings)
	if err != nil {
		return refused(err.Error())
	}
	machine = step.NewMachine(rules)
	return answer(abi.AppendConfigured(fresh(), &abi.Configured{
		Statements: rules.Statements(), Columns: rules.Columns(), Headers: rules.Headers(), Shorthand: rules.Shorthand(),
	}))
}

//go:wasmexport djedge_begin
func begin(ptr, size uint32) (packed uint64) {
	defer recovered(&packed)
	frame, problem := ready(ptr, size)
	defer clear(frame)
	if problem != "" {
		return failed(problem)
	}
	return answer(machine.Begin(fresh(), frame))
}

//go:wasmexport djedge_resume
func resume(handle, ptr, size uint32) (packed uint64) {
	defer recovered(&packed)
	frame, problem := ready(ptr, size)
	defer clear(frame)
	if problem != "" {
		if machine != nil {
			machine.Cancel(handle)
		}
		return failed(problem)
	}
	return answer(machine.Resume(fresh(), handle, frame))
}

//go:wasmexport djedge_cancel
func cancel(handle uint32) {
	var packed uint64
	defer recovered(&packed)
	out = fresh()
	if machine != nil {
		machine.Cancel(handle)
	}
}

const outside = "the message is outside of the buffers"

// ready is the host's message, and why it cannot be answered.
func ready(ptr, size uint32) (frame []byte, problem string) {
	frame, ok := message(ptr, size)
	if !ok {
		return nil, outside
	}
	if machine == nil {
		return frame, "the module is not configured"
	}
	return frame, ""
}

// fresh is the buffer for the next answer. The last one is gone from it: it
// may have held a password, a session key or a row.
func fresh() []byte {
	clear(out)
	if cap(out) > keepOut {
		out = nil
	}
	return out[:0]
}

// answer keeps b, so that it stays in place until the next call.
func answer(b []byte) uint64 {
	out = b
	return pack(out)
}

func refused(problem string) uint64 {
	return answer(abi.AppendConfigured(fresh(), &abi.Configured{Error: problem}))
}

func failed(problem string) uint64 {
	return answer(abi.AppendDone(fresh(), step.Failure(gate.ReasonInternal, problem)))
}

// recovered turns a panic of an export into an answer that lets nobody in.
// It is the last net: the machine has its own.
func recovered(packed *uint64) {
	if recover() != nil {
		out = out[:cap(out)] // part of an answer may be there
		*packed = failed("panic")
	}
}
