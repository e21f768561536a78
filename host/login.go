package host

import (
	"fmt"
	"net/http"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Login logs the sender of r in as Django's authenticate and login do: with a
// new session key, the cookies on w, and what the session held so far. [User]
// and [Session] know of it at once. It needs [Host.Middleware], and a response
// that has not begun.
//
// A refusal wraps a [*gate.Denied], which has the status and the reason: a
// wrong password, an inactive user, a method such as GET, or a page of another
// site (by Origin and Sec-Fetch-Site; see Config.PublicOrigins). Browsers that
// send neither need a CSRF token or [http.CrossOriginProtection] besides, and
// nothing here counts failed attempts.
func Login(w http.ResponseWriter, r *http.Request, username, password string) error {
	return visitOf(r).enterOrLeave(w, r, &abi.Op{Kind: abi.OpLogin, Username: username, Password: password})
}

// Logout ends the session of r, as Django's logout does, and deletes its
// cookie. It needs what [Login] needs.
func Logout(w http.ResponseWriter, r *http.Request) error {
	return visitOf(r).enterOrLeave(w, r, &abi.Op{Kind: abi.OpLogout})
}

func (v *visit) enterOrLeave(w http.ResponseWriter, r *http.Request, op *abi.Op) error {
	return (&RequestSession{v}).change(func(v *visit) error {
		if op.Kind == abi.OpLogin && v.session.Modified {
			if err := v.store(r); err != nil {
				return err
			}
		}
		op.Request = v.op(op.Kind).Request
		for _, name := range [...]string{"Origin", "Sec-Fetch-Site"} { // the body is the handler's
			for _, value := range r.Header[name] {
				op.Request.Headers = append(op.Request.Headers, gate.Header{Name: name, Value: value})
			}
		}
		result := v.host.Do(r.Context(), op)
		if err := refused(result); err != nil {
			return fmt.Errorf("log in or out: %w", err)
		}
		setCookies(w, &result.Decision)
		if op.Kind == abi.OpLogin {
			v.keep(result)
			return nil
		}
		v.move("")
		v.user, v.granted = nil, nil
		v.take(result)
		return nil
	})
}

// store saves what was changed so far, for a login to keep it. The response
// will save it again, unless the login succeeds.
func (v *visit) store(r *http.Request) error {
	op := v.op(abi.OpSessionSave)
	op.Status = http.StatusOK
	result := v.host.Do(r.Context(), op)
	if err := refused(result); err != nil {
		return fmt.Errorf("save the session before the login: %w", err)
	}
	if result.SessionKey != "" {
		v.cookies = []string{v.host.cookie + "=" + result.SessionKey}
		v.session.Key, v.session.Resolved = result.SessionKey, true
	}
	return nil
}

// refused is the error of a result that does not allow.
func refused(result *abi.Result) error {
	if d := &result.Decision; d.Outcome != gate.Allow {
		return &gate.Denied{Reason: d.Reason, Detail: d.Detail}
	}
	return nil
}
