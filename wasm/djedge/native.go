//go:build !wasip1

package main

import "os"

// main is here so that the package builds everywhere.
func main() {
	os.Stderr.WriteString("djedge.wasm is built with GOOS=wasip1 GOARCH=wasm\n")
	os.Exit(2)
}
