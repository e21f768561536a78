package redis_test

import (
	"context"
	"log"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/redis"
)

// One server that is written to, and a replica to read from, as in LOCATION of
// Django's CACHES.
func ExampleOpen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	db, err := redis.Open(ctx, "redis://:password@10.0.0.1/1, redis://:password@10.0.0.2/1")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	value, err := db.Storage(ctx, djsession.StorageOp{Kind: djsession.CacheGet, Key: ":1:django.contrib.sessions.cacheabcdefgh12345678"})
	log.Println(value.Found, err)
}
