package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/djedge/djedge/host"
)

// What session_engine needs is opened, and what is missing is named.
func TestOpenStorage(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		engine, format, cache, folder string
		opens                         bool
		want                          string // of the error
	}{
		{engine: "", opens: false},
		{engine: "db"}, {engine: "signed_cookies"},
		{engine: "file", folder: folder, opens: true},
		{engine: "file", opens: true}, // the folder for temporary files
		{engine: "file", folder: filepath.Join(folder, "none"), want: "session_file_path"},
		{engine: "cache", want: "cache_location"},
		{engine: "cached_db", format: "memcached", want: "cache_location"},
		{engine: "cache", format: "redis", cache: "memcached://user:canary@x", want: "redis"},
		{engine: "cache", format: "redis", cache: "redis://:canary@127.0.0.1:1/0", want: "redis"},
		{engine: "cache", format: "memcached", cache: "127.0.0.1:1", want: "memcached"},
	} {
		storage, err := openStorage(t.Context(), &config{cache: c.cache, filePath: c.folder, host: host.Config{SessionEngine: c.engine, CacheFormat: c.format}})
		if storage != nil {
			defer storage.Close()
		}
		if (storage != nil) != c.opens || (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%+v: %v, %v", c, storage, err)
		}
	}
}
