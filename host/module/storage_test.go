package module

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"testing"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// memory is a cache and a folder in which nothing expires.
type memory struct {
	mu     sync.Mutex
	values map[string]djsession.StorageResult
	forget bool // every value at once, as a cache that was restarted
}

func (m *memory) Storage(op djsession.StorageOp) (result djsession.StorageResult, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, there := m.values[op.Key]
	value := djsession.StorageResult{Found: true, Value: op.Value, Flags: op.Flags, Modified: (*site)(nil).Now()}
	switch op.Kind {
	case djsession.CacheGet, djsession.FileGet:
		if there && !m.forget {
			result = old
		}
		return result, nil
	case djsession.CacheDelete, djsession.FileDelete:
		delete(m.values, op.Key)
		result.Found = there
		return result, nil
	case djsession.CacheSet:
		result.Found = true
	case djsession.CacheAdd, djsession.FileCreate:
		result.Found = !there || m.forget
	case djsession.FileReplace:
		result.Found = there
	}
	if result.Found {
		m.values[op.Key] = value
	}
	return result, nil
}

// The day of a site is the same with every engine, in the module and natively.
func TestSameAnswersWithEveryEngine(t *testing.T) {
	for _, c := range []struct {
		engine djsession.Engine
		forget bool
		format djsession.CacheFormat
	}{
		{djsession.EngineCachedDB, false, djsession.CacheRedis},
		{djsession.EngineCachedDB, true, djsession.CacheRedis},
		{djsession.EngineCache, false, djsession.CacheMemcached},
		{djsession.EngineCache, false, djsession.CacheDjangoRedis},
		{djsession.EngineFile, false, djsession.CacheRedis},
		{djsession.EngineSignedCookies, false, djsession.CacheRedis},
	} {
		t.Run(fmt.Sprintf("%s %s %v", c.engine, c.format, c.forget), func(t *testing.T) {
			more := []abi.Setting{{Name: "session_engine", Value: string(c.engine)}, {Name: "cache_format", Value: string(c.format)}}
			ours, theirs := newSite(t), newSite(t)
			our, their := &memory{values: map[string]djsession.StorageResult{}, forget: c.forget}, &memory{values: map[string]djsession.StorageResult{}, forget: c.forget}
			ours.storage, theirs.storage = our.Storage, their.Storage
			e := startWASM(t, wasmbuild.Djedge(), Config{}, more...)
			got := story(t, e, ours)
			want := story(t, start(t, &native{}, settings(more...)), theirs)
			for i := range want {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("result %d:\n%+v, native\n%+v", i, got[i], want[i])
				}
			}
			if got, want := ours.dump(t), theirs.dump(t); !reflect.DeepEqual(got, want) {
				t.Errorf("the database holds\n%+v, native\n%+v", got, want)
			}
			if !maps.Equal(our.values, their.values) || (len(our.values) == 0) != (c.engine == djsession.EngineSignedCookies) {
				t.Errorf("the storage holds\n%+v, native\n%+v", our.values, their.values)
			}
			wantWhole(t, e)
			if n := allowances(want); n < 10 {
				t.Errorf("only %d operations were allowed: the story does not work", n)
			}
		})
	}
}

// A read may not change what is stored. It may fill a cache from the database
// that is asked first, and take back what it filled.
func TestStorageInARead(t *testing.T) {
	for kind := djsession.CacheGet; kind <= djsession.FileList; kind++ {
		for _, engine := range []djsession.Engine{djsession.EngineCache, djsession.EngineCachedDB} {
			guest := honest()
			guest.begin = effects(t, abi.Effect{Kind: abi.EffectStorage, Storage: djsession.StorageOp{Kind: kind, Key: "k"}})
			e := startFake(t, guest, Config{Instances: 1})
			e.readsFill = engine == djsession.EngineCachedDB
			asked := 0
			fx := stub{storage: func(djsession.StorageOp) (djsession.StorageResult, error) {
				asked++
				return djsession.StorageResult{}, nil
			}}
			result := e.Do(t.Context(), check(), fx)
			get := kind == djsession.CacheGet || kind == djsession.FileGet
			fill := engine == djsession.EngineCachedDB && (kind == djsession.CacheAdd || kind == djsession.CacheDelete)
			if allowed := result.Decision.Outcome == gate.Allow; allowed != (get || fill) || (asked > 0) != allowed {
				t.Errorf("%v with %s: asked %d times, %+v", kind, engine, asked, result.Decision)
			}
		}
	}
}

// Once something that changes what is stored was sent, the loss of the instance
// ends the operation. A read is repeated, also when it had filled the cache; then
// the entry, which nobody has confirmed, is taken away.
func TestStorageIsNotRepeated(t *testing.T) {
	for _, c := range []struct {
		op   abi.OpKind
		kind djsession.StorageKind
		want string
	}{
		{abi.OpCheck, djsession.CacheGet, "[cache_get k cache_get k]"},
		{abi.OpCheck, djsession.CacheAdd, "[cache_add k cache_delete k cache_add k cache_delete k]"},
		{abi.OpLogout, djsession.CacheGet, "[cache_get k cache_get k]"},
		{abi.OpLogout, djsession.CacheDelete, "[cache_delete k]"},
		{abi.OpLogout, djsession.CacheSet, "[cache_set k]"},
	} {
		guest := honest()
		guest.begin = effects(t, abi.Effect{Kind: abi.EffectStorage, Storage: djsession.StorageOp{Kind: c.kind, Key: "k"}})
		guest.again = []byte("garbage")
		e := startFake(t, guest, Config{Instances: 1})
		e.readsFill = true
		var asked []string
		fx := stub{storage: func(op djsession.StorageOp) (djsession.StorageResult, error) {
			asked = append(asked, op.Kind.String(), op.Key)
			return djsession.StorageResult{}, nil
		}}
		op := check()
		op.Kind = c.op
		wantFailure(t, e.Do(t.Context(), op, fx), gate.ReasonInternal)
		if fmt.Sprint(asked) != c.want {
			t.Errorf("%v %v: %v were asked for, want %v", c.op, c.kind, asked, c.want)
		}
	}
}

// A client that goes away ends an operation that only read, and none that wrote.
func TestClientGoesAway(t *testing.T) {
	for kind, allowed := range map[djsession.StorageKind]bool{djsession.CacheGet: false, djsession.CacheDelete: true} {
		guest := honest()
		guest.begin = effects(t, abi.Effect{Kind: abi.EffectStorage, Storage: djsession.StorageOp{Kind: kind, Key: "k"}})
		e := startFake(t, guest, Config{Instances: 1})
		e.readsFill = true
		ctx, cancel := context.WithCancel(t.Context())
		fx := stub{storage: func(djsession.StorageOp) (djsession.StorageResult, error) {
			cancel()
			return djsession.StorageResult{}, nil
		}}
		if d := e.Do(ctx, check(), fx).Decision; (d.Outcome == gate.Allow) != allowed {
			t.Errorf("%v: %+v", kind, d)
		}
	}
}
