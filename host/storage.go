package host

import (
	"context"

	"github.com/djedge/djedge/djsession"
)

// Storage keeps sessions outside the database: a cache or a folder of files.
// Implementations: host/redis, host/memcached, host/files. One answers either
// the Cache operations or the File operations; the others are errors.
type Storage interface {
	// Storage does one operation. What is not there is an answer (not Found),
	// never an error. It must honour ctx's deadline.
	Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error)
	Close() error
}
