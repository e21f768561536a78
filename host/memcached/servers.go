package memcached

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"
)

// servers chooses the server of a key as pymemcache's HashClient does: by
// rendezvous hashing with MurmurHash3.
type servers []server

type server struct {
	name string // as pymemcache spells it
	addr address
}

// address is resolved anew for each connection, not once.
type address struct{ network, text string }

func (a address) Network() string { return a.network }
func (a address) String() string  { return a.text }

var _ memcache.ServerSelector = servers(nil)

// parse reads the servers as Django splits and pymemcache normalizes them.
func parse(list string) (servers, error) {
	var all servers
	for spec := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ';' }) {
		spec = strings.TrimSpace(spec)
		if path, ok := strings.CutPrefix(spec, "unix:"); ok || strings.HasPrefix(spec, "/") {
			all = append(all, server{path, address{"unix", path}})
			continue
		}
		host, port := spec, "11211"
		if i := strings.LastIndexByte(spec, ':'); i >= 0 && !strings.HasSuffix(spec, "]") {
			host, port = spec[:i], spec[i+1:]
		}
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || host == "" {
			return nil, fmt.Errorf("%q is not host:port or the path of a socket", spec)
		}
		port = strconv.FormatUint(n, 10)
		all = append(all, server{host + ":" + port, address{"tcp", net.JoinHostPort(host, port)}})
	}
	if len(all) == 0 {
		return nil, errors.New("no server is given")
	}
	return all, nil
}

// PickServer implements [memcache.ServerSelector].
func (s servers) PickServer(key string) (net.Addr, error) {
	if len(s) == 1 {
		return s[0].addr, nil
	}
	best, score := -1, uint32(0)
	for i, node := range s {
		h := murmur3(node.name + "-" + key)
		if best < 0 || h > score || h == score && node.name > s[best].name {
			best, score = i, h
		}
	}
	return s[best].addr, nil
}

// Each implements [memcache.ServerSelector].
func (s servers) Each(f func(net.Addr) error) error {
	for _, node := range s {
		if err := f(node.addr); err != nil {
			return err
		}
	}
	return nil
}

// murmur3 is MurmurHash3 (x86, 32 bits, seed 0) of the characters of text,
// each cut to eight bits, which is what pymemcache hashes.
func murmur3(text string) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	rotate := func(x uint32, by int) uint32 { return x<<by | x>>(32-by) }
	var h, k uint32
	n := 0
	for _, r := range text {
		k |= uint32(byte(r)) << (8 * (n % 4))
		if n++; n%4 == 0 {
			h ^= rotate(k*c1, 15) * c2
			h = rotate(h, 13)*5 + 0xe6546b64
			k = 0
		}
	}
	h ^= rotate(k*c1, 15) * c2
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
