package gate

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxLocation is Django's MAX_URL_REDIRECT_LENGTH, in code points.
const maxLocation = 16384

var (
	errLoginURL   = errors.New("the login URL is no URL of http, https or ftp")
	errLongTarget = errors.New("the redirect to the login page is too long")
)

// RedirectToLogin is the Location of Django's redirect_to_login: loginURL
// (LOGIN_URL, "/accounts/login/" by default) with next in its query under the
// name field (REDIRECT_FIELD_NAME, "next"), in the place of a parameter that
// has that name already. An empty field leaves the query alone. Where Django
// raises DisallowedRedirect there is an error: a login URL of another scheme,
// or a location of more than 16384 characters.
//
// next is only encoded. Whether to follow it is decided on the way back, by
// [SafeRedirect].
func RedirectToLogin(next, loginURL, field string) (location string, err error) {
	u, ok := urlsplit(loginURL)
	if !ok || u.scheme != "" && !webScheme(u.scheme) {
		return "", errLoginURL
	}
	if field != "" {
		u.query = setParameter(u.query, field, next)
	}
	s := u.String()
	if len(s) > maxLocation && utf8.RuneCountInString(s) > maxLocation {
		return "", errLongTarget
	}
	return Location(s), nil
}

// LoginRequired is the Location for a request that needs a login (Django's
// login_required): the login page, with the request's path and query as next
// when the login page is on the request's own host, else its whole URL.
//
// That URL names req.Host, so the host must be one of the site's: see
// [AllowedHost].
func LoginRequired(req Request, loginURL, field string) (location string, err error) {
	u, ok := urlsplit(loginURL)
	if !ok {
		return "", errLoginURL
	}
	next := FullPath(req.URI)
	if u.scheme != "" && u.scheme != req.Scheme || u.netloc != "" && u.netloc != req.Host {
		next = Location(req.Scheme + "://" + req.Host + resolveDots(next))
	}
	return RedirectToLogin(next, loginURL, field)
}

// FullPath is Django's get_full_path for a request's path and query as they
// were received: the path decoded as WSGI servers do and encoded again, the
// query with what is unsafe in a URL encoded.
func FullPath(uri string) string {
	path, query, _ := strings.Cut(uri, "?")
	path = percentDecode(path)
	if !utf8.ValidString(path) { // repercent_broken_unicode
		var b strings.Builder
		for i := 0; i < len(path); {
			r, size := utf8.DecodeRuneInString(path[i:])
			if r == utf8.RuneError && size == 1 {
				b.WriteString(quote(path[i:i+1], ""))
			} else {
				b.WriteString(path[i : i+size])
			}
			i += size
		}
		path = b.String()
	}
	path = quote(path, "/:@&+$,-_.!~*'()")
	if query == "" {
		return path
	}
	return path + "?" + Location(query)
}

// resolveDots takes "." and ".." out of the path, as urljoin does for
// build_absolute_uri.
func resolveDots(fullPath string) string {
	path, query, found := strings.Cut(fullPath, "?")
	if !strings.Contains(path, "/./") && !strings.Contains(path, "/../") {
		return fullPath
	}
	segments := strings.Split(path, "/")
	kept := segments[:0:0]
	for _, s := range segments {
		switch {
		case s == "..":
			kept = kept[:max(len(kept)-1, 0)]
		case s != ".":
			kept = append(kept, s)
		}
	}
	if last := segments[len(segments)-1]; last == "." || last == ".." {
		kept = append(kept, "")
	}
	path = strings.Join(kept, "/")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if found {
		path += "?" + query
	}
	return path
}

// setParameter is QueryDict: the query's parameters with field set to value,
// those of one name together where the first of them was, encoded again.
func setParameter(query, field, value string) string {
	type parameter struct {
		name   string
		values []string
	}
	var all []parameter
	at := func(name string) *parameter {
		for i := range all {
			if all[i].name == name {
				return &all[i]
			}
		}
		all = append(all, parameter{name: name})
		return &all[len(all)-1]
	}
	decode := func(s string) string {
		return string([]rune(percentDecode(strings.ReplaceAll(s, "+", " ")))) // a byte that is no UTF-8 becomes U+FFFD
	}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, v, _ := strings.Cut(pair, "=")
		p := at(decode(name))
		p.values = append(p.values, decode(v))
	}
	at(field).values = []string{value}
	var b strings.Builder
	for _, p := range all {
		for _, v := range p.values {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(quote(p.name, "/") + "=" + quote(v, "/"))
		}
	}
	return b.String()
}
