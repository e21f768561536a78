// Command djedge builds djedge.wasm, the rules as a WebAssembly module that
// imports nothing but wasi_snapshot_preview1:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o djedge.wasm ./wasm/djedge
//
// docs/abi.md describes its exports. With the tag chaos it also exports ways
// to break itself, for the tests of hosts.
package main
