package step

import (
	"context"
	"strconv"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/wasm/abi"
)

// The operations of a program that changes its sessions. The session comes
// with each as the program has it by now; nothing is kept here in between.

// handed is the session of an operation, and whether the request came with a
// session cookie. Items that are not there yet are read when load is set.
func (r *Rules) handed(ctx context.Context, fx *watched, op *abi.Op, load bool) (_ *djsession.Session, cookie bool, err error) {
	state := op.Session
	key, cookie := r.gate.SessionKey(op.Request)
	if !state.Resolved {
		state.Key = key
	}
	if !djsession.ValidKey(state.Key) {
		state.Key = "" // as Django's _set_session_key
	}
	if load && !state.Loaded && state.Key != "" {
		session, err := r.sessions.Load(ctx, fx, state.Key)
		return session, cookie, err
	}
	return state.Session(), cookie, nil
}

// saveSession is Django's SessionMiddleware at the response.
func (r *Rules) saveSession(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	session, hadCookie, err := r.handed(ctx, fx, op, false)
	if err != nil {
		return nil, err
	}
	do := r.sessions.AtResponse(session, hadCookie, op.Status)
	if do.Save && !op.Session.Loaded { // SESSION_SAVE_EVERY_REQUEST: Django reads it now
		if session, _, err = r.handed(ctx, fx, op, true); err != nil {
			return nil, err
		}
	}
	cookie, err := r.sessions.Respond(ctx, fx, session, do)
	if err != nil {
		return nil, err
	}
	result := success()
	result.SessionKey, result.Decision.Vary = session.Key(), do.Vary
	if cookie != "" {
		result.Decision.Cookies = []string{cookie}
	}
	return result, nil
}

func (r *Rules) flushSession(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	session, _, err := r.handed(ctx, fx, op, false)
	if err != nil {
		return nil, err
	}
	if err := r.sessions.Flush(ctx, fx, session); err != nil {
		return nil, err
	}
	return handedBack(session), nil
}

// cycleSession leaves the cookie to the response, as Django does.
func (r *Rules) cycleSession(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	session, _, err := r.handed(ctx, fx, op, true)
	if err != nil {
		return nil, err
	}
	if err := r.sessions.CycleKey(ctx, fx, session); err != nil {
		return nil, err
	}
	return handedBack(session), nil
}

func handedBack(session *djsession.Session) *abi.Result {
	result := success()
	result.Decision.Vary = true
	result.SessionKey, result.Session, result.SessionModified = session.Key(), session.Items(), session.Modified()
	return result
}

func (r *Rules) clearExpired(ctx context.Context, fx *watched) (*abi.Result, error) {
	n, err := r.sessions.ClearExpired(ctx, fx)
	return textual(strconv.FormatInt(n, 10), err)
}
