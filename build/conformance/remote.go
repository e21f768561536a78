package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The calls of the protocol.
const (
	callNew = iota
	callConfigure
	callBegin
	callResume
	callCancel
	callDrop
)

const (
	// maxInstances is how many idle instances an adapter keeps, since each
	// configuration of a vector needs its own, and each takes some megabytes.
	maxInstances = 8
	maxAnswer    = 17 << 20
	// slowest is far above the time of any call: a slice of hashing, or a derivation that cannot be sliced.
	slowest = 5 * time.Minute
)

// remote is an adapter's process.
type remote struct {
	url    string
	client http.Client

	mu   sync.Mutex
	last uint32      // number of an instance
	live []*instance // those in the adapter, the least recently used first
}

func newRemote(addr string) *remote {
	return &remote{url: "http://" + addr + "/call", client: http.Client{
		Timeout:   slowest,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}}
}

// call is one call of the module.
func (r *remote) call(ctx context.Context, call byte, instance, handle uint32, frame []byte) ([]byte, error) {
	body := make([]byte, 0, 9+len(frame))
	body = append(body, call)
	body = binary.LittleEndian.AppendUint32(body, instance)
	body = binary.LittleEndian.AppendUint32(body, handle)
	body = append(body, frame...)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the adapter did not answer: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the adapter's answer broke off: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		text := strings.TrimSpace(string(answer))
		return nil, errors.New("the adapter: " + response.Status + ": " + text[:min(len(text), 1000)])
	}
	return answer, nil
}

// admit counts a new instance with one operation.
func (r *remote) admit(e *engine) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	in := &instance{number: r.last, engine: e, used: 1}
	r.live = append(r.live, in)
	r.trim()
	return in
}

// trim drops idle instances that are too many. It is called with the lock.
func (r *remote) trim() {
	for i := 0; len(r.live) > maxInstances && i < len(r.live); {
		if old := r.live[i]; old.used == 0 {
			old.worn = true
			r.drop(old)
		} else {
			i++
		}
	}
}

// keep counts one more operation in an instance, unless that is worn.
func (r *remote) keep(in *instance) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.worn {
		return false
	}
	in.used++
	i := slices.Index(r.live, in)
	r.live = append(slices.Delete(r.live, i, i+1), in)
	return true
}

// leave is the end of an operation.
func (r *remote) leave(in *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.used--; in.used == 0 && in.worn {
		r.drop(in)
	}
	r.trim()
}

// wear keeps new operations away from an instance.
func (r *remote) wear(in *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.worn = true; in.used == 0 {
		r.drop(in)
	}
}

// drop has the adapter forget an idle instance. It is called with the lock.
func (r *remote) drop(in *instance) {
	i := slices.Index(r.live, in)
	if i < 0 {
		return
	}
	r.live = slices.Delete(r.live, i, i+1)
	// An adapter that fails here fails at its next call too, where somebody looks.
	_, _ = r.call(context.Background(), callDrop, in.number, 0, nil)
}
