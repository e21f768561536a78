//go:build !race

package sha2

const raceDetector = false
