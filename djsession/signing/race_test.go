//go:build race

package signing

// raceDetector drops what a sync.Pool holds, on purpose and at random.
const raceDetector = true
