package sqldb

import (
	"os"
	"testing"

	"github.com/djedge/djedge/host/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Run(m)) }
