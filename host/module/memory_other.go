//go:build !unix

package module

import "github.com/tetratelabs/wazero/experimental"

func mapMemory(uint64, *image) experimental.LinearMemory { return nil }
