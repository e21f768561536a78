// Package e2e has no code of its own: its tests run the djedge command beside a real Django site on one database, SQLite and
// PostgreSQL, and look at the same sessions and users from both sides.
//
// The tests need the components that build/components/install puts into a directory; DJEDGE_TEST_COMPONENTS names it, and
// `make e2e` does both. A test whose component is missing is skipped, or fails when CI is "true". Every server listens on a free
// loopback port, is stopped by its process id and leaves its log in a directory that is kept, and named, when a test failed.
package e2e
