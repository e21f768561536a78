package sqldb

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/djedge/djedge/djsession/query"
)

var (
	//go:embed django.sql
	djangoSchema string
	//go:embed django_mysql.sql
	djangoSchemaMySQL string
)

// CreateDjangoSchema creates the tables of Django 5.2's auth and sessions in
// a database that has none of them: for demonstrations and tests. A site's
// own database gets them from `manage.py migrate`. In MySQL, which commits each
// statement that makes a table, some of them may be there after an error.
func CreateDjangoSchema(ctx context.Context, db *DB) error {
	p, err := db.acquire()
	if err != nil {
		return fmt.Errorf("create Django's tables: %w", err)
	}
	defer p.release()
	if db.Dialect() == query.MySQL {
		for statement := range strings.SplitSeq(strings.TrimSpace(djangoSchemaMySQL), ";\n") {
			if _, err := p.writer.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("create Django's tables: %w", db.driver.cause(err))
			}
		}
		return nil
	}
	tx, err := p.writer.BeginTx(ctx, nil)
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
