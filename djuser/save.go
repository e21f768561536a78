package djuser

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// SetPassword stores a new hash of password for the user with this primary
// key, given as text. It ends all the user's sessions, here and in Django.
// AUTH_PASSWORD_VALIDATORS are not applied. Refusals are [*gate.Denied]:
// user_missing, password_empty, password_invalid.
func (u *Users) SetPassword(ctx context.Context, fx Effects, id, password string) error {
	pk, ok := u.parseID(id)
	if !ok {
		return denied(gate.ReasonUserMissing)
	}
	encoded, err := u.hash(ctx, fx, password)
	if err != nil {
		return err
	}
	n, err := change(ctx, fx, with(u.sql.password, query.Text(encoded), u.stored(pk)))
	if err != nil {
		return errorf.Errorf("storing a password: %w", err)
	}
	if n == 0 {
		return denied(gate.ReasonUserMissing)
	}
	return nil
}

// Field is a column and the value to save in it.
type Field struct {
	Column string
	Value  query.Value
}

// Save writes some columns of the user with this primary key, given as text:
// only configured ones, and neither the primary key nor the password. Values
// are checked against the column's kind and, where Django's own model says
// them, lengths and null. Like Django's save it validates no further. No
// fields are no statement. Refusals are [*gate.Denied]: user_missing,
// field_invalid, username_taken (any broken uniqueness).
func (u *Users) Save(ctx context.Context, fx Effects, id string, fields []Field) error {
	pk, ok := u.parseID(id)
	if !ok {
		return denied(gate.ReasonUserMissing)
	}
	if len(fields) == 0 {
		return nil
	}
	d := u.settings.Dialect
	var sets []string
	var args []query.Value
	var seen []int
	for _, f := range fields {
		i := u.columns.index(f.Column)
		if i < 0 || i == u.columns.pk || i == u.columns.password || slices.Contains(seen, i) {
			return fieldInvalid(f.Column)
		}
		value, ok := u.storable(u.columns.all[i], f.Value)
		if !ok {
			return fieldInvalid(f.Column)
		}
		seen = append(seen, i)
		sets = append(sets, d.Quote(u.columns.all[i].Name)+" = ?")
		args = append(args, value)
	}
	statement := query.Statement{
		Name:  "user_save",
		SQL:   d.Rebind("UPDATE " + d.Quote(u.settings.Table) + " SET " + strings.Join(sets, ", ") + " WHERE " + d.Quote(u.settings.PK) + " = " + u.idMark()),
		Args:  append(args, u.stored(pk)),
		AdHoc: true,
	}
	n, err := change(ctx, fx, statement)
	switch {
	case errors.Is(err, query.ErrDuplicate):
		return denied(gate.ReasonUsernameTaken)
	case err != nil:
		return errorf.Errorf("saving a user: %w", err)
	case n == 0:
		return denied(gate.ReasonUserMissing)
	}
	return nil
}

// storable is v as the dialect stores it in a column, if the column can hold it.
func (u *Users) storable(column query.Column, v query.Value) (query.Value, bool) {
	if v.IsNull() {
		return v, u.nullable(column.Name)
	}
	switch column.Kind {
	case query.KindNull:
	case query.KindUUID:
		dashed, ok := query.ParseUUID(v.Text())
		return u.settings.Dialect.UUID(dashed), ok
	default:
		if v = query.Coerce(v, column.Kind); v.Kind() != column.Kind {
			return v, false
		}
	}
	switch v.Kind() {
	case query.KindBool:
		return u.settings.Dialect.Bool(v.Bool()), true
	case query.KindTime:
		return u.store.Time(v.Time()), true
	case query.KindFloat:
		return v, !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0)
	case query.KindText:
		max := u.maxLength(column.Name)
		if max == 0 {
			max = 1 << 20
		}
		return v, plausible(v.Text(), max) && (v.Text() != "" || column.Name != u.settings.UsernameField)
	}
	return v, true
}

func fieldInvalid(column string) error {
	if len(column) > 64 {
		column = column[:64]
	}
	return &gate.Denied{Reason: gate.ReasonFieldInvalid, Detail: strconv.Quote(column)}
}
