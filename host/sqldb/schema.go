package sqldb

import (
	"context"
	_ "embed"
	"fmt"
)

//go:embed django.sql
var djangoSchema string

// CreateDjangoSchema creates the tables of Django 5.2's auth and sessions in
// a database that has none of them: for demonstrations and tests. A site's
// own database gets them from `manage.py migrate`.
func CreateDjangoSchema(ctx context.Context, db *DB) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("create Django's tables: %w", err)
	}
	if _, err := tx.ExecContext(ctx, djangoSchema); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("create Django's tables: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("create Django's tables: %w", err)
	}
	return nil
}
