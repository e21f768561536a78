// Package pyjson reads and writes JSON exactly as Python's json module does,
// because Django's sessions are Python's JSON: NaN and Infinity, integers of
// any size, lone surrogates, 1.0 as distinct from 1, "\u00e9" rather than "é".
//
// Values are kept as the text they were read from, so that what nobody touches
// is written back unchanged; nothing is converted by reflection. Lone
// surrogates, which Go's strings cannot hold as UTF-8, are held as the three
// bytes UTF-8 would have given them (WTF-8); JSON text itself must be UTF-8.
package pyjson
