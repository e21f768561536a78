package djuser

import "slices"

// Dotted paths of Django's own backends.
const (
	ModelBackend                   = "django.contrib.auth.backends.ModelBackend"
	AllowAllUsersModelBackend      = "django.contrib.auth.backends.AllowAllUsersModelBackend"
	RemoteUserBackend              = "django.contrib.auth.backends.RemoteUserBackend"
	AllowAllUsersRemoteUserBackend = "django.contrib.auth.backends.AllowAllUsersRemoteUserBackend"
)

// allowsInactive: these backends do not look at is_active.
func allowsInactive(backend string) bool {
	return backend == AllowAllUsersModelBackend || backend == AllowAllUsersRemoteUserBackend
}

// grantsPermissions: these backends are ModelBackends, which read the tables
// of permissions.
func grantsPermissions(backend string) bool {
	return backend == ModelBackend || backend == RemoteUserBackend || allowsInactive(backend)
}

// loginBackend is the backend that a login with a password is recorded under:
// the first that compares it with the password column, or "". What a custom
// one would do (ask LDAP) is not known here, and the remote-user ones take no
// passwords.
func loginBackend(backends []string) string {
	for _, b := range backends {
		if b == ModelBackend || b == AllowAllUsersModelBackend {
			return b
		}
	}
	return ""
}

// backendFor is the backend that logs user in, or "" when none does: Django
// asks them in turn, so AllowAllUsersModelBackend behind ModelBackend admits
// those who are inactive.
func (u *Users) backendFor(user *User) string {
	if user.IsActive() || allowsInactive(u.backend) {
		return u.backend
	}
	if slices.Contains(u.settings.Backends, AllowAllUsersModelBackend) {
		return AllowAllUsersModelBackend
	}
	return ""
}
