package step

import (
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

const (
	// MaxParked is how many operations one [Machine] holds at a time. One more
	// is answered with a decision whose reason is "busy".
	MaxParked = 1 << slotBits
	slotBits  = 10
	slotMask  = MaxParked - 1

	// maxIdle coroutines are kept for reuse; a new one costs several times
	// what two switches do.
	maxIdle = 64
)

// Machine runs operations that wait for their effects without holding a
// thread. It takes and gives the frames of package abi. It must not be called
// from two goroutines at a time, and it keeps nothing of an operation once
// that is done.
type Machine struct {
	rules *Rules
	slots []slot
	free  []uint32 // slots without an operation
	idle  []*coroutine
}

type slot struct {
	generation uint32 // makes handles of earlier operations void
	coroutine  *coroutine
}

// NewMachine returns a machine that runs the operations of rules.
func NewMachine(rules *Rules) *Machine { return &Machine{rules: rules} }

// Parked is the number of operations that wait for an answer.
func (m *Machine) Parked() int { return len(m.slots) - len(m.free) }

// Begin runs the operation of a begin frame until it is done or asks for
// something, and appends that to dst: a done or an effects frame.
func (m *Machine) Begin(dst, frame []byte) (out []byte) {
	var handle uint32
	defer func() {
		if p := recover(); p != nil {
			out = m.lost(dst, handle, p)
		}
	}()
	if m.Parked() >= MaxParked {
		return refuse(dst, gate.ReasonBusy, "too many operations are waiting")
	}
	c := m.take()
	if err := c.memory.DecodeBegin(frame, &c.start, &c.op); err != nil {
		m.give(c)
		return refuse(dst, gate.ReasonInternal, err.Error())
	}
	handle = m.park(c)
	return m.run(dst, handle, c)
}

// Resume gives an operation the answers to its effects and goes on as [Machine.Begin].
// A frame that cannot be read ends the operation.
func (m *Machine) Resume(dst []byte, handle uint32, frame []byte) (out []byte) {
	defer func() {
		if p := recover(); p != nil {
			out = m.lost(dst, handle, p)
		}
	}()
	c := m.find(handle)
	if c == nil {
		return refuse(dst, gate.ReasonInternal, "there is no operation with this handle")
	}
	var start abi.Start
	answers, err := c.memory.DecodeResume(frame, &start)
	switch {
	case err != nil:
		m.Cancel(handle)
		return refuse(dst, gate.ReasonInternal, err.Error())
	case len(answers) != 1:
		m.Cancel(handle)
		return refuse(dst, gate.ReasonInternal, "the number of answers is not the number of effects")
	case !clockSet(start.Now):
		m.Cancel(handle)
		return refuse(dst, gate.ReasonInternal, noClock)
	}
	c.resumed(start, answers[0])
	return m.run(dst, handle, c)
}

// Cancel ends an operation that waits; one that is done is left alone.
func (m *Machine) Cancel(handle uint32) {
	c := m.find(handle)
	if c == nil {
		return
	}
	m.leave(handle)
	defer func() { _ = recover() }() // a coroutine that is beyond repair is not given back
	c.cancelled = true
	if c.next() {
		m.give(c)
	}
}

// Close cancels everything and ends the coroutines. The machine must not be
// used afterwards.
func (m *Machine) Close() {
	for i := range m.slots {
		m.Cancel(m.slots[i].generation<<slotBits | uint32(i))
	}
	for _, c := range m.idle {
		c.stop()
	}
	m.idle = nil
}

// run lets c go on, and appends what it came to.
func (m *Machine) run(dst []byte, handle uint32, c *coroutine) []byte {
	if done := c.next(); done {
		var out []byte
		if short := &c.watch.answer.short; short.SessionKey != "" && c.result == &c.watch.answer.Result {
			out = abi.AppendAllowed(dst, short)
		} else {
			out = m.rules.table.AppendDone(dst, c.result)
		}
		m.leave(handle)
		m.give(c)
		if len(out)-len(dst) > abi.MaxFrame {
			return refuse(dst, gate.ReasonInternal, "the result is too long")
		}
		return out
	}
	out, err := abi.AppendEffects(dst, m.rules.table, handle, c.effect)
	switch {
	case err != nil:
		m.Cancel(handle)
		return refuse(dst, gate.ReasonInternal, err.Error())
	case len(out)-len(dst) > abi.MaxFrame:
		m.Cancel(handle)
		return refuse(dst, gate.ReasonInternal, "the effect is too long")
	}
	return out
}

// take is a coroutine without an operation.
func (m *Machine) take() *coroutine {
	if n := len(m.idle); n > 0 {
		c := m.idle[n-1]
		m.idle = m.idle[:n-1]
		return c
	}
	return newCoroutine(m.rules)
}

// give takes a coroutine back, without anything of its last operation.
func (m *Machine) give(c *coroutine) {
	c.forget()
	if len(m.idle) < maxIdle {
		m.idle = append(m.idle, c)
		return
	}
	c.stop()
}

// park puts a coroutine into a slot and returns its handle, which is never 0.
func (m *Machine) park(c *coroutine) (handle uint32) {
	if len(m.free) == 0 {
		m.free = append(m.free, uint32(len(m.slots)))
		m.slots = append(m.slots, slot{})
	}
	i := m.free[len(m.free)-1]
	m.free = m.free[:len(m.free)-1]
	s := &m.slots[i]
	s.coroutine = c
	s.generation = (s.generation + 1) & (1<<(32-slotBits) - 1)
	if s.generation == 0 {
		s.generation = 1
	}
	return s.generation<<slotBits | i
}

func (m *Machine) find(handle uint32) *coroutine {
	i := handle & slotMask
	if int(i) >= len(m.slots) || m.slots[i].generation != handle>>slotBits {
		return nil
	}
	return m.slots[i].coroutine
}

func (m *Machine) leave(handle uint32) {
	if m.find(handle) != nil {
		i := handle & slotMask
		m.slots[i].coroutine = nil
		m.free = append(m.free, i)
	}
}

// lost gives up an operation whose coroutine is beyond repair.
func (m *Machine) lost(dst []byte, handle uint32, p any) []byte {
	m.leave(handle)
	return refuse(dst, gate.ReasonInternal, panicText(p))
}

// refuse appends a done frame that lets nobody in.
func refuse(dst []byte, reason gate.Reason, detail string) []byte {
	return abi.AppendDone(dst, Failure(reason, detail))
}
