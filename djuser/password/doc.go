// Package password reads and writes the password strings of Django's hashers,
// in plain Go and with every cost bounded.
//
// A stored hash is untrusted: whoever can write it chooses how much work a
// login costs. So it is parsed strictly, checked against [Limits] before
// anything is computed or allocated, and hashed in slices that give the thread
// back. Like Django, verification makes the stored string anew from the
// password and compares the strings, in constant time.
//
// [Hashers.Check] answers every failed login after the work of one default
// hash, so that the time does not tell a missing user from an unusable, an
// unreadable or a wrong password. As in Django this holds for users whose hash
// is of the preferred algorithm; a site that has changed its algorithm shows
// which users have not logged in since.
//
// # Strings that Django reads and this package does not
//
// Python's int() takes " 1000", "+1000", "1_000" and digits of other scripts.
// The string made anew has none of them, so such a hash matches no password; it
// is refused before the work instead of after it. The same goes for zero costs
// (which Django replaces by its defaults), for bcrypt strings that are not 60
// characters, and for text of more than 1024 bytes, where Django's column holds
// 128 characters.
package password
