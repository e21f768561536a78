// Package module runs the rules inside djedge.wasm, under wazero: the same
// answers as the native engine, from code that sees no socket, no file, no
// SECRET_KEY, and whose faults cost one instance and not the program.
//
// Instances are kept in lanes. A read shares its instance with many
// others: while its statement is at the database, the instance serves the
// rest. An operation that writes has an instance of its own, and so has one
// that takes a password, which may be hashed in place. An instance that
// traps, runs too long, runs out of memory or answers what cannot be read is
// thrown away with all its memory; reads that were in it are done again once,
// each alone, and so is an operation that had not written yet. One that had
// written ends as an error.
package module
