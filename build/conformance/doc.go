// Package conformance runs djedge.wasm in other runtimes than wazero, so that
// the conformance vectors can be judged in each: the rules must answer alike
// wherever the module runs.
//
//	go run ./build conformance [--host NAME,…] [FILE…]
//
// # The adapter protocol
//
// An adapter is a small program around the module in its runtime. The kit
// starts it, with the path of the uncompressed module in the environment
// variable DJEDGE_WASM, and ends it with SIGTERM. It is an HTTP/1.1 server on a
// port of 127.0.0.1 that it chooses itself, and says which one in a line on
// standard output:
//
//	listening PORT
//
// (workerd says so by --control-fd=1.) It keeps connections open, and answers
// POST /call, whose body is
//
//	call      u8
//	instance  u32, little-endian: a number that the kit chose
//	handle    u32, little-endian: of resume and cancel, else 0
//	frame     the rest: a frame of the ABI (docs/abi.md), empty for new, cancel and drop
//
// with 200 and the module's answer: a frame, empty for new, cancel and drop. The calls are
//
//	0 new        there is an instance of this number from now on; it may be made lazily
//	1 configure  djedge_configure
//	2 begin      djedge_begin
//	3 resume     djedge_resume
//	4 cancel     djedge_cancel
//	5 drop       forget the instance, and free its memory
//
// A call that trapped is answered with 500 and a text; the kit drops the
// instance then. Several calls may arrive at once, for one instance or for
// several, but no instance may be entered twice at a time: a runtime with one
// thread does that by itself, others take a lock.
package conformance
