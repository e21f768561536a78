package pyjson_test

import (
	"fmt"

	"github.com/djedge/djedge/djsession/pyjson"
)

func ExampleObject() {
	members, err := pyjson.Object(`{"price": 1.0, "name": "caf\u00e9", "limit": Infinity}`, 10)
	if err != nil {
		panic(err)
	}
	for _, m := range members {
		fmt.Println(m.Key, m.Raw)
	}
	// Output:
	// price 1.0
	// name "caf\u00e9"
	// limit Infinity
}

func ExampleCanonical() {
	text, err := pyjson.Canonical(`{ "a": 1e16, "b": "é", "a": 10.50 }`)
	fmt.Println(text, err)
	// Output: {"a":10.5,"b":"\u00e9"} <nil>
}
