// Package differential compares the rules with a live Django. A process of
// Django answers over a pipe (oracle.py), the rules answer through their
// conformance seam, on inputs that are seeded mutations of the vectors. It
// holds tests alone.
//
// Every difference is printed as one line of JSON; testdata/cases.jsonl keeps
// those found so far, with Django's answer, and is checked without Django.
//
//	DJEDGE_TEST_COMPONENTS        where the virtual environments are; without it the live test skips itself
//	DJEDGE_DIFFERENTIAL_SECONDS   how long to look, over all Djangos together (6)
//	DJEDGE_DIFFERENTIAL_SEED      what the inputs are drawn from (1); "time" draws a new one
package differential
