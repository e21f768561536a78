package host_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/internal/testservers"
)

// cell is what docs/compat.md says of the site when its test has passed.
func (site sessionSite) cell(t *testing.T, store *djsession.Store) record.Cell {
	c := record.Cell{Python: testservers.Component(t, site.venv+"/bin/python"), Engine: string(store.Engine())}
	if store.Engine().InTable() {
		c.Database = store.Settings().Dialect.String()
	}
	if cache := store.Settings().Cache; store.Engine() == djsession.EngineCache || store.Engine() == djsession.EngineCachedDB {
		c.Cache = strings.TrimSpace(string(cache.Format) + " " + cache.Compressor)
		if cache.Format == djsession.CacheDjangoRedis && cache.Serializer != "pickle" {
			c.Cache += " " + cache.Serializer
		}
	}
	return c
}
