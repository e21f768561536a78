package module_test

import (
	"log/slog"

	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/module"
)

// The same host, with its rules in the sandbox.
func ExampleNew() {
	config := host.Config{
		Engine: module.New(module.Config{CacheDir: "/var/cache/djedge", Logger: slog.Default()}),
		// and DB, and SecretKey or Keys
	}
	_ = config // for host.New
}
