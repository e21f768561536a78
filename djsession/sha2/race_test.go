//go:build race

package sha2

// raceDetector drops what a sync.Pool holds, on purpose and at random.
const raceDetector = true
