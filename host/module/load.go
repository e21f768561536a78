package module

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/wasm/abi"
)

// loaded is the compiled module and what its instances have in common.
type loaded struct {
	Config
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule // without its data, if there is an image
	begin    *image                // what the memory of an instance begins with, or nil
	started  sync.Once

	settings   []byte // the configure frame, for every instance
	configured []byte // the first instance's answer; every other must equal it
	table      *abi.Table
	columns    []query.Column
	shorthand  *abi.Shorthand
	reads      map[string]bool // by name, whether a statement of the table only reads
}

// load checks and compiles the module.
func load(ctx context.Context, config Config) (*loaded, error) {
	wasm, digest, err := source(config)
	if err != nil {
		return nil, err
	}
	l := &loaded{Config: config}
	if err := l.compile(ctx, wasm); err != nil {
		return nil, errors.Join(err, l.close(ctx))
	}
	config.Logger.InfoContext(ctx, "module loaded", "sha256", digest, "bytes", len(wasm), "abi", abi.Version)
	return l, nil
}

// source is the module and its digest, compared with what was expected.
func source(config Config) (wasm []byte, digest string, err error) {
	wasm = config.WASM
	if wasm == nil {
		if wasm, err = modules.WASM(); err != nil {
			return nil, "", err
		}
	}
	sum := sha256.Sum256(wasm)
	digest = hex.EncodeToString(sum[:])
	if want := strings.ToLower(config.Digest); want != "" && want != digest {
		return nil, "", fmt.Errorf("the module has digest %s, expected was %s: it was changed or is another release", digest, want)
	}
	return wasm, digest, nil
}

func (l *loaded) compile(ctx context.Context, wasm []byte) (err error) {
	pages := uint32(max(l.MemoryMiB, l.HashMemoryMiB)) << 4
	rc := wazero.NewRuntimeConfig().WithMemoryLimitPages(pages).WithDebugInfoEnabled(false)
	if l.CacheDir != "" {
		if l.cache, err = wazero.NewCompilationCacheWithDir(l.CacheDir); err != nil {
			return fmt.Errorf("compilation cache: %w", err)
		}
		rc = rc.WithCompilationCache(l.cache)
	}
	l.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, l.runtime); err != nil {
		return fmt.Errorf("module: %w", err)
	}
	if without, memory, err := splitData(wasm); err == nil {
		wasm, l.begin = without, newImage(memory)
	}
	if l.compiled, err = l.runtime.CompileModule(ctx, wasm); err != nil {
		return fmt.Errorf("compile the module: %w", err)
	}
	return l.checkExports()
}

// checkExports refuses what is no djedge module before anything of it runs.
func (l *loaded) checkExports() error {
	for _, f := range l.compiled.ImportedFunctions() {
		if from, name, _ := f.Import(); from != wasi_snapshot_preview1.ModuleName {
			return fmt.Errorf("the module imports %s.%s; djedge.wasm imports only %s", from, name, wasi_snapshot_preview1.ModuleName)
		}
	}
	memory := l.compiled.ExportedMemories()["memory"]
	if memory == nil {
		return errors.New("the module does not export its memory: it is no djedge.wasm")
	}
	if limit := min(l.MemoryMiB, l.HashMemoryMiB); memory.Min() > uint32(limit)<<4 {
		return fmt.Errorf("the module starts with %d KiB of memory, module.Config allows %d MiB", memory.Min()<<6, limit)
	}
	exports := l.compiled.ExportedFunctions()
	for _, name := range []string{"_initialize", fnABI, fnBuffer, fnAlloc, fnFree, fnConfigure, fnBegin, fnResume, fnCancel} {
		if exports[name] == nil {
			return fmt.Errorf("the module does not export %s: it is no djedge.wasm", name)
		}
	}
	return nil
}

// began is called with the memory of an instance in which nothing but the start
// function has run: what that did is part of the image from then on. The first
// instance starts alone.
func (l *loaded) began(memory api.Memory) {
	l.started.Do(func() {
		if l.begin == nil {
			return
		}
		if b, ok := memory.Read(0, memory.Size()); ok {
			l.begin.close()
			l.begin = newImage(b)
		}
	})
}

// accept takes the answer to the configure frame. The first one fixes the
// statements; an instance that answers otherwise later is refused.
func (l *loaded) accept(frame []byte) error {
	if l.configured != nil {
		if !bytes.Equal(frame, l.configured) {
			return errors.New("an instance understands the settings otherwise than the first one")
		}
		return nil
	}
	c, err := abi.DecodeConfigured(frame)
	if err != nil {
		return err
	}
	if c.Error != "" {
		return errors.New(c.Error)
	}
	if l.table, err = abi.NewTable(c.Statements); err != nil {
		return err
	}
	if l.reads, err = judge(c.Statements); err != nil {
		return err
	}
	l.columns, l.shorthand = c.Columns, c.Shorthand
	l.configured = bytes.Clone(frame)
	return nil
}

// allowed is the result that an allowed frame stands for.
func (l *loaded) allowed(frame []byte, results []query.Result) (*abi.Result, error) {
	a, err := abi.DecodeAllowed(frame)
	if err != nil {
		return nil, err
	}
	if l.shorthand == nil {
		return nil, errors.New("the module answered in a shorthand that it did not explain")
	}
	return l.shorthand.Result(&a, l.columns, results)
}

func (l *loaded) close(ctx context.Context) error {
	var errs []error
	if l.runtime != nil {
		errs = append(errs, l.runtime.Close(ctx))
	}
	if l.cache != nil {
		errs = append(errs, l.cache.Close(ctx))
	}
	l.begin.close()
	clear(l.settings) // holds keys
	return errors.Join(errs...)
}
