// Package djsession is Django's sessions: what is stored, how it is signed,
// when it expires, and how the "db" engine keeps it.
//
// It does no I/O and has no clock: everything comes through [Effects]. What it
// promises: data that none of the site's keys signed is never decoded; a
// session that was deleted elsewhere is never brought back; an unknown session
// key is never adopted; what Django reads it can read, and values that nobody
// touched are written back as the text they were.
package djsession
