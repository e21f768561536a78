package password

import "github.com/djedge/djedge/djsession/version"

// Defaults is what a Django release does when a site sets nothing.
type Defaults struct {
	Hashers    []string // class names of PASSWORD_HASHERS
	Algorithms []string // of every hasher that the release ships
	SaltLength int      // characters in the salt of a new hash

	PBKDF2Iterations  uint32
	Argon2Type        Function
	Argon2Time        uint32
	Argon2Memory      uint32 // KiB
	Argon2Parallelism uint32
	BcryptCost        uint32 // log2 of the rounds
	ScryptN           uint32 // scrypt's are zero before Django 4.0, which brought it
	ScryptR           uint32
	ScryptP           uint32
}

var pbkdf2Iterations = map[version.Version]uint32{
	{Major: 2, Minor: 2}: 150_000,
	{Major: 3, Minor: 0}: 180_000,
	{Major: 3, Minor: 1}: 216_000,
	{Major: 3, Minor: 2}: 260_000,
	{Major: 4, Minor: 0}: 320_000,
	{Major: 4, Minor: 1}: 390_000,
	{Major: 4, Minor: 2}: 600_000,
	{Major: 5, Minor: 0}: 720_000,
	{Major: 5, Minor: 1}: 870_000,
	{Major: 5, Minor: 2}: 1_000_000,
	{Major: 6, Minor: 0}: 1_200_000,
	{Major: 6, Minor: 1}: 1_500_000,
}

// DefaultsOf returns the defaults of a Django release, read in the source of
// each: django/contrib/auth/hashers.py and django/conf/global_settings.py.
func DefaultsOf(v version.Version) Defaults {
	v = v.Or(version.Default)
	d := Defaults{
		SaltLength:       12,
		PBKDF2Iterations: pbkdf2Iterations[v],
		Argon2Type:       Argon2i, Argon2Time: 2, Argon2Memory: 512, Argon2Parallelism: 2,
		BcryptCost: 12,
	}
	or(&d.PBKDF2Iterations, pbkdf2Iterations[version.Default]) // a release that is not in version.Supported
	if v.AtLeast(3, 2) {
		d.SaltLength = 22 // 128 bits, at log2(62) each
		d.Argon2Type, d.Argon2Memory, d.Argon2Parallelism = Argon2id, 102400, 8
	}
	d.Algorithms = []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt"}
	byDefault := []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256"}
	if v.AtLeast(4, 0) {
		d.ScryptN, d.ScryptR, d.ScryptP = 1<<14, 8, 1
		d.Algorithms = append(d.Algorithms, "scrypt")
		byDefault = append(byDefault, "scrypt")
	}
	if v.AtLeast(5, 1) {
		d.ScryptP = 5
	}
	d.Algorithms = append(d.Algorithms, "md5")
	if !v.AtLeast(5, 1) {
		d.Algorithms = append(d.Algorithms, "sha1", "unsalted_sha1", "unsalted_md5")
	}
	if !v.AtLeast(5, 0) {
		d.Algorithms = append(d.Algorithms, "crypt")
	}
	for _, algorithm := range byDefault {
		d.Hashers = append(d.Hashers, classes[algorithm]+"PasswordHasher")
	}
	return d
}
