package djsession

import "time"

// StorageKind is what is asked of a cache or of session files. The numbers
// are part of the module's ABI.
type StorageKind uint8

const (
	CacheGet    StorageKind = iota + 1
	CacheSet                // store, whatever was there
	CacheAdd                // store unless the key exists
	CacheDelete             // a missing key is fine
	FileGet                 // with the time of its last change
	FileCreate              // exclusively, readable by its owner alone (CVE-2020-24584)
	FileReplace             // atomically, and only if it exists
	FileDelete              // a missing file is fine
	// FileList is the names that begin with Key and are behind Value: in the
	// order of their bytes, [ListLength] at most, each with a line end. Names
	// that no session file has are left out.
	FileList
)

// ListLength is how many names a [FileList] answers with; fewer are the last.
const ListLength = 1000

// StorageOp is one request to a cache or to session files.
type StorageOp struct {
	Kind  StorageKind
	Key   string // the whole cache key, or the name of a file without its folder
	Value string
	Flags uint32 // memcached's; other caches ignore it
	// TTL is how long a cache keeps the value, in whole seconds. Zero or less:
	// it is expired already, so it is not stored, and what was there is removed.
	TTL time.Duration
}

// StorageResult answers a [StorageOp].
type StorageResult struct {
	// Found: the key or file was there (get, delete where the server tells,
	// replace), or the value was stored (set, add, create).
	Found    bool
	Value    string
	Flags    uint32
	Modified time.Time // of a file
}
