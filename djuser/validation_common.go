package djuser

import (
	"sort"

	"github.com/djedge/djedge/djsession/sha2"
	"github.com/djedge/djedge/djuser/internal/py"
)

//go:generate go run validation_generate.go SITE-PACKAGES/django/contrib/auth/common-passwords.txt.gz

// commonDigest is how much of each digest is kept: with 40 bits one good
// password in 56 million is taken for a common one.
const commonDigest = 5

// common is CommonPasswordValidator, over digests so that the list is small
// and no word list is compiled into anything.
func (v PasswordValidator) common() func(string, func(string) string) Refusal {
	known := isCommon
	if v.Common != nil {
		list := make(map[string]bool, len(v.Common))
		for _, password := range v.Common {
			list[py.Strip(password)] = true
		}
		known = func(password string) bool { return list[password] }
	}
	return func(password string, _ func(string) string) (none Refusal) {
		if known(py.Strip(lower(password))) {
			return Refusal{PasswordTooCommon, "This password is too common."}
		}
		return none
	}
}

// isCommon searches the digests that were generated from Django's list.
func isCommon(password string) bool {
	sum := sha2.Sum256([]byte(password))
	want := string(sum[:commonDigest])
	n := len(commonPasswords) / commonDigest
	at := func(i int) string { return commonPasswords[i*commonDigest : (i+1)*commonDigest] }
	i := sort.Search(n, func(i int) bool { return at(i) >= want })
	return i < n && at(i) == want
}
