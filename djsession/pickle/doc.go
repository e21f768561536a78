// Package pickle reads and writes session dicts as Python pickles, which is
// what Django's cache engines store and what PickleSerializer signed before
// Django 5.0.
//
// A pickle is a program, and Python's unpickler runs it: whoever can write the
// cache runs code in Django. Nothing is run here. [Decode] knows the opcodes
// that build dicts, lists, tuples, sets, text, bytes, numbers, booleans and
// None (protocols 2 to 5), and the exact form in which datetime, timezone and
// timedelta of Python's datetime module, and the UTC of pytz, are pickled; any
// other opcode, name or call refuses the whole value. Time and memory are
// bounded by [Limits]: nothing is allocated because a length says so, shared
// references are expanded within a budget, and cycles are refused.
//
// Each value comes as JSON text, in the form of package pyjson. What JSON
// cannot say comes with a fragment of a pickle as well, so that a value nobody
// touched is written back with its types. Only identity is lost: objects that
// were shared inside the session become equal copies.
//
// The JSON view of a type that Python's json refuses or changes:
//
//	tuple, set, frozenset  a list
//	bytes, bytearray       text, one character (U+0000 to U+00FF) per byte
//	datetime               isoformat(), as Django 4.1 and later store expiries
//	timedelta              ISO 8601 as DjangoJSONEncoder writes it: "P1DT02H03M04.000005S"
//	timezone               its name: "UTC", "UTC+05:30"
//	a key that is a number, a boolean or None
//	                       its JSON text: "1", "2.5", "true", "null"
package pickle
