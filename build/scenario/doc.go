// Package scenario is the scenario table: what can happen to a login, tried
// over HTTP through every door that djedge has, beside a real Django on the
// same database. Django makes every session and every change, and is asked
// whom it takes each request for; the door must say the same.
//
// # Doors
//
// A door is a program that serves HTTP on a port of 127.0.0.1. It is started
// with these variables in its environment:
//
//	DJEDGE_DATABASE              postgres://… (through a proxy that can fail), or the path of an SQLite file
//	DJEDGE_SECRET_KEY            the site's key
//	DJEDGE_SECRET_KEY_FALLBACKS  older keys with commas between them
//	DJEDGE_DJANGO_VERSION        such as 5.2
//	DJEDGE_ENGINE                the site's session engine: db, signed_cookies or cached_db
//	DJEDGE_CACHE                 redis://…, of cached_db
//	DJEDGE_PORT                  0: choose one
//	DJEDGE_TIMEOUT_MS            500: how long a statement may take, in milliseconds
//
// and prints "listening PORT" on standard output. It is ended with SIGTERM. It answers in compact JSON:
//
//	GET  /api/me               {"user":{…},"session":{…}}; {} both for nobody
//	POST /api/login            {"username":…,"password":…}
//	POST /api/logout
//	POST /api/register         {"username":…,"password":…}
//	POST /api/change-password  {"password":…}
//	GET  /protected            200 {"headers":{name:[value,…]}}, the headers that an application behind it gets, when somebody is logged in; else 401
//
// A door that cannot decide answers 503.
//
// A new door is a line in [Doors].
package scenario
