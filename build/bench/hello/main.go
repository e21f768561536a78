// Command hello is the least that a server on net/http can do: hello ADDRESS.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: hello ADDRESS")
		os.Exit(2)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	fmt.Fprintln(os.Stderr, "hello:", http.ListenAndServe(os.Args[1], hello))
	os.Exit(1)
}
