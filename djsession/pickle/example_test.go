package pickle_test

import (
	"errors"
	"fmt"

	"github.com/djedge/djedge/djsession/pickle"
)

func ExampleDecode() {
	// pickle.dumps({"_auth_user_id": "1", "point": (1, 2.0)}, 4)
	data := "\x80\x04\x95.\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\r_auth_user_id\x94\x8c\x011\x94\x8c\x05point\x94K\x01G@\x00\x00\x00\x00\x00\x00\x00\x86\x94u."
	session, err := pickle.Decode(data, pickle.Limits{})
	if err != nil {
		panic(err)
	}
	for _, m := range session {
		fmt.Printf("%s %s %q\n", m.Key, m.Raw, m.Pickled)
	}
	// Output:
	// _auth_user_id "1" ""
	// point [1,2.0] "K\x01G@\x00\x00\x00\x00\x00\x00\x00\x86"
}

func ExampleDecode_refused() {
	_, err := pickle.Decode("\x80\x04cos\nsystem\n\x8c\x04true\x85R.", pickle.Limits{})
	var refusal *pickle.Error
	fmt.Println(errors.As(err, &refusal), refusal.Reason)
	fmt.Println(err)
	// Output:
	// true global
	// undecodable pickle: global at opcode 0x63, offset 2
}

func ExampleEncode() {
	data, err := pickle.Encode([]pickle.Member{{Key: "n", Raw: "[1, null]"}}, 5)
	fmt.Printf("%q %v\n", data, err)
	// Output: "\x80\x05}(\x8c\x01n](K\x01Neu." <nil>
}
