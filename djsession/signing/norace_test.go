//go:build !race

package signing

const raceDetector = false
