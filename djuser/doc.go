// Package djuser is Django's users outside Django: who a session's user is,
// logging in and out, registering, passwords and the user's columns, by the
// same rules and in the same tables, so that a site and this package may
// serve the same people side by side.
//
// It asks for everything by way of [Effects] and does no I/O of its own. What
// it refuses is a [gate.Denied] with a reason; every other error means that
// nothing could be decided, and must not be taken for "anonymous". Password
// hashes never leave it: not by a row, an error, a log line or a format verb.
package djuser
