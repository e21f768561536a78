package memcached_test

import (
	"context"
	"log"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/memcached"
)

// Two servers, spelt as in LOCATION of Django's CACHES.
func ExampleOpen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	pool, err := memcached.Open(ctx, "10.0.0.1:11211;10.0.0.2:11211")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	value, err := pool.Storage(ctx, djsession.StorageOp{Kind: djsession.CacheGet, Key: ":1:django.contrib.sessions.cacheabcdefgh12345678"})
	log.Println(value.Found, value.Flags, err)
}
