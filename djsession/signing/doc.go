// Package signing is Django's django.core.signing over derived keys.
//
// What it promises: nothing that was not signed by one of the given keys is
// inflated or parsed, nor decoded, except for the base64 around the format before
// Django 3.1 ([LoadsLegacy]), whose length is bounded first; signatures are
// compared in constant time; what is inflated is bounded. SECRET_KEY is needed only to derive keys ([Derive],
// [DeriveKeys]), never to sign or verify.
package signing
