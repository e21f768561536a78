package main

import (
	"errors"
	"os"
	"testing"
)

// TestVectorsOnMariaDB asks a real server instead of the vectors what the
// collations find.
func TestVectorsOnMariaDB(t *testing.T) {
	server, err := startMariaDB(os.Getenv("DJEDGE_TEST_COMPONENTS"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(server.stop)
	vectors, err := readVectors("../testdata/vectors/django-5.2.json")
	if err != nil {
		t.Fatal(err)
	}
	judge, err := newJudge("native")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(judge.close)
	judge.mariadb = server.Socket
	passed, skipped := 0, 0
	for _, v := range vectors {
		if v.Section != "mariadb" {
			continue
		}
		var skip errSkip
		switch err := judge.judge(v); {
		case errors.As(err, &skip):
			skipped++
		case err != nil:
			t.Errorf("%s %s: %v", v.ID, v.text("tag"), err)
		default:
			passed++
		}
	}
	t.Logf("%d passed, %d skipped", passed, skipped)
	if passed < 500 {
		t.Error("too few vectors")
	}
}
