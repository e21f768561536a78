package gate

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Requirement is what a caller asks of the user, as a rule writes it: one of
// the constants, [Permission] or [Group]. Anything else, the empty one too, is
// met by nobody: a decision about it is an error.
type Requirement string

// The requirements that name nothing. Superuser does not imply Staff.
const (
	Anyone        Requirement = "anyone"        // nothing: a user is named if there is one
	Authenticated Requirement = "authenticated" // some user
	Staff         Requirement = "staff"         // a user with is_staff, as Django's admin asks
	Superuser     Requirement = "superuser"     // a user with is_superuser

	// ByRules is what the rule list asks for the request's method and path;
	// [Gate.Resolve] finds it out. It cannot be part of a rule.
	ByRules Requirement = "rules"
)

const (
	permissionPrefix = "permission:"
	groupPrefix      = "group:"
	maxGroup         = 150 // characters of auth_group.name
)

// Permission asks for a permission as Django's has_perm does: "app_label.codename",
// compared exactly. An active superuser has every one.
func Permission(name string) Requirement { return permissionPrefix + Requirement(name) }

// Group asks for a user who is in the group of this name, compared exactly. A
// superuser who is not in it does not meet it.
func Group(name string) Requirement { return groupPrefix + Requirement(name) }

// Grants is what a user was granted; *djuser.Permissions is one.
type Grants interface {
	HasPerm(permission string) bool
	InGroup(name string) bool
}

// NeedsGrants reports whether a decision about r needs a user's [Grants].
func (r Requirement) NeedsGrants() bool {
	return strings.HasPrefix(string(r), permissionPrefix) || strings.HasPrefix(string(r), groupPrefix)
}

// permission and group are the names in r.
func (r Requirement) permission() (name string, ok bool) {
	return strings.CutPrefix(string(r), permissionPrefix)
}

func (r Requirement) group() (name string, ok bool) {
	return strings.CutPrefix(string(r), groupPrefix)
}

var (
	errRequirement = errors.New("is not anyone, authenticated, staff, superuser, permission:app.codename or group:name")
	errPermission  = errors.New("names no permission; one is app_label.codename")
	errGroup       = errors.New("names no group")
)

// Check says what is wrong with a requirement: nil when [Gate.Decide] knows it.
// ByRules is not one of those.
func (r Requirement) Check() error {
	switch r {
	case Anyone, Authenticated, Staff, Superuser:
		return nil
	}
	if name, ok := r.permission(); ok {
		app, codename, _ := strings.Cut(name, ".")
		if app == "" || codename == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, blank) {
			return errPermission
		}
		return nil
	}
	if name, ok := r.group(); ok {
		if strings.TrimFunc(name, blank) != name || name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxGroup {
			return errGroup
		}
		return nil
	}
	return errRequirement
}

// blank is what begins or ends no name, and is often a mistake of typing.
func blank(r rune) bool { return r <= ' ' || r == 0x7f }

// met reports whether who meets r, and the reason for the one who does not.
// [ReasonInternal] is that it could not be told.
func (r Requirement) met(who *Identity, grants Grants) (met bool, unmet Reason, detail string) {
	switch r {
	case Anyone:
		return true, ReasonOK, ""
	case Authenticated:
		return who != nil, ReasonNotAuthenticated, ""
	case Staff:
		return who != nil && who.Staff, ReasonNotStaff, ""
	case Superuser:
		return who != nil && who.Superuser, ReasonNotSuperuser, ""
	}
	switch {
	case r.Check() != nil:
		return false, ReasonInternal, "unknown requirement"
	case who != nil && grants == nil:
		return false, ReasonInternal, "the user's permissions were not read"
	}
	if name, ok := r.permission(); ok {
		return who != nil && grants.HasPerm(name), ReasonPermissionMissing, name
	}
	name, _ := r.group()
	return who != nil && grants.InGroup(name), ReasonNotInGroup, name
}
