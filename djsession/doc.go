// Package djsession is Django's sessions: what is stored, how it is signed,
// when it expires, and how each of Django's engines keeps it.
//
// It does no I/O and has no clock: everything comes through [Effects]. What it
// promises: session data that none of the site's keys signed is never inflated
// or parsed (what is in a cache has no signature, as in Django: whoever can
// write there can be anybody); a session that was deleted elsewhere is never
// brought back (in a cache alone as far as Django's own order of operations
// allows); an unknown session key is never adopted; what Django reads it can
// read, and values that nobody touched are written back as they were.
package djsession
