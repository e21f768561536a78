package djsession_test

import (
	"fmt"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
)

// Reading a row of django_session that a Django site wrote.
func ExampleStore_Decode() {
	store, err := djsession.New(djsession.Settings{Keys: signing.DeriveKeys("", "the SECRET_KEY", nil)})
	if err != nil {
		panic(err)
	}
	data, err := store.Encode([]djsession.Item{{Key: "cart", Raw: "[1.0, 2]"}}, time.Unix(1748417998, 0))
	if err != nil {
		panic(err)
	}
	items, err := store.Decode(data)
	fmt.Println(items[0].Key, items[0].Raw, err)

	_, err = store.Decode("f" + data[1:])
	fmt.Println(err)
	// Output:
	// cart [1.0, 2] <nil>
	// decode session: bad signature
}
