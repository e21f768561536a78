package djsession

import (
	"errors"
	"strconv"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
)

// ErrCacheValue: a cache holds something under a session's key that no session
// is written as. The error around it says what.
var ErrCacheValue = errors.New("the cached value is no session")

var errCacheKey = errors.New("cache_key_prefix: with it a key is longer than memcached allows")

// Flags of a value in memcached, as pymemcache, pylibmc and python-memcached
// set them.
const (
	flagPickle     = 1
	flagInteger    = 2
	flagLong       = 4
	flagCompressed = 8
	flagText       = 16
)

// cacheCodec writes keys and values as one of Django's cache backends does.
// What is in a cache is not signed: whoever can write it can be anybody.
type cacheCodec struct {
	cache    Cache
	prefix   string
	maxBytes int
	protocol int // of the pickles
}

func (s *Store) newCacheCodec(prefix string) cacheCodec {
	c := s.set.Cache
	codec := cacheCodec{
		cache: c, maxBytes: s.set.MaxDataBytes, protocol: 5,
		prefix: c.KeyPrefix + ":" + strconv.Itoa(c.Version) + ":" + prefix,
	}
	if c.Format == CacheDjangoRedis {
		codec.protocol = 4 // its default; Python reads either
	}
	return codec
}

// maxMemcachedKey is in bytes.
const maxMemcachedKey = 250

// key is the whole key of a session in the cache. ok is false when there can be
// no such entry.
func (c *cacheCodec) key(session string) (key string, ok bool) {
	key = c.prefix + session
	if c.cache.Format != CacheMemcached {
		return key, true
	}
	for i := 0; i < len(key); i++ {
		if key[i] <= ' ' || key[i] == 0x7f {
			return "", false
		}
	}
	return key, len(key) <= maxMemcachedKey
}

// encode is the value and its flags.
func (c *cacheCodec) encode(items []Item) (op StorageOp, err error) {
	if c.cache.Serializer == "json" {
		op.Value, err = encodeJSON(items)
	} else {
		op.Value, err = encodePickle(items, c.protocol)
	}
	switch {
	case err != nil:
		return op, errorf.Errorf("encode session: %w", err)
	case len(op.Value) > c.maxBytes:
		return op, errorf.Errorf("encode session: %w", signing.ErrTooLarge)
	case c.cache.Format == CacheMemcached:
		op.Flags = flagPickle
	}
	const minLength = 15 // below, django-redis compresses nothing
	if c.cache.Compressor == "zlib" && len(op.Value) > minLength {
		op.Value = signing.Deflate(op.Value)
	}
	return op, nil
}

// decode reads a value. The backends write integers as decimal digits, which
// are no session, as is everything else that is no dict. An error is
// [ErrCacheValue], with the reason.
func (c *cacheCodec) decode(got StorageResult) ([]Item, error) {
	items, err := c.read(got)
	if err != nil {
		return nil, errorf.Errorf("%w: %w", ErrCacheValue, err)
	}
	return items, nil
}

var errFlags = errors.New("its flags are not those of a pickle")

func (c *cacheCodec) read(got StorageResult) (items []Item, err error) {
	value := got.Value
	compressed := c.cache.Compressor == "zlib"
	if c.cache.Format == CacheMemcached {
		if got.Flags&^flagCompressed != flagPickle {
			return nil, errFlags
		}
		compressed = got.Flags&flagCompressed != 0
	}
	if compressed {
		plain, err := signing.Inflate(value, c.maxBytes)
		switch {
		case err == nil:
			value = plain
		case errors.Is(err, signing.ErrTooLarge), c.cache.Format == CacheMemcached:
			return nil, err
		} // else django-redis takes it as it is
	}
	if len(value) > c.maxBytes {
		return nil, signing.ErrTooLarge
	}
	if c.cache.Serializer == "json" {
		members, err := pyjson.Object(value, maxDepth)
		return itemsOf(members), err
	}
	return decodePickle(value, c.maxBytes)
}

func encodePickle(items []Item, protocol int) (string, error) {
	members := make([]pickle.Member, len(items))
	for i, it := range items {
		members[i] = pickle.Member(it)
	}
	return pickle.Encode(members, protocol)
}

func decodePickle(data string, maxBytes int) ([]Item, error) {
	members, err := pickle.Decode(data, pickle.Limits{Bytes: maxBytes})
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(members))
	for i, m := range members {
		items[i] = Item(m)
	}
	return items, nil
}

func itemsOf(members []pyjson.Member) []Item {
	if members == nil {
		return nil
	}
	items := make([]Item, len(members))
	for i, m := range members {
		items[i] = Item{Key: m.Key, Raw: m.Raw}
	}
	return items
}
