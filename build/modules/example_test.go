package modules_test

import (
	"fmt"

	"github.com/djedge/djedge/build/modules"
)

func ExampleWASM() {
	wasm, err := modules.WASM()
	if err != nil {
		fmt.Println(err) // no module was built before this program
		return
	}
	_ = wasm // give it to any WASI runtime; docs/abi.md tells how
}
