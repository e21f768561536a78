package files_test

import (
	"context"
	"fmt"
	"os"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/files"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "sessions") // a site's SESSION_FILE_PATH
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	folder, err := files.Open(dir)
	if err != nil {
		panic(err)
	}
	defer folder.Close()

	ctx := context.Background()
	op := djsession.StorageOp{Kind: djsession.FileCreate, Key: "sessionidabcdefgh12345678", Value: "the session's data"}
	created, err := folder.Storage(ctx, op)
	fmt.Println(created.Found, err)
	again, err := folder.Storage(ctx, op)
	fmt.Println(again.Found, err)
	op.Kind = djsession.FileGet
	read, err := folder.Storage(ctx, op)
	fmt.Println(read.Value, err)
	// Output:
	// true <nil>
	// false <nil>
	// the session's data <nil>
}
