package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"github.com/djedge/djedge/djsession/query"
)

// statements are the prepared statements that are kept: those of the
// configured table, about twenty. Statements made for one request are not.
type statements struct {
	mu   sync.RWMutex
	made map[statementKey]*sql.Stmt
}

type statementKey struct {
	pool *sql.DB
	sql  string
}

// maxStatements is a bound in case a caller builds SQL from its data.
const maxStatements = 200

// prepare returns a prepared statement for each of list. release frees those
// that are not kept; it is never nil.
func (db *DB) prepare(ctx context.Context, p *pools, pool *sql.DB, list []query.Statement) (stmts []*sql.Stmt, release func(), err error) {
	var once []*sql.Stmt
	release = func() {
		for _, stmt := range once {
			_ = stmt.Close()
		}
	}
	stmts = make([]*sql.Stmt, len(list))
	for i, s := range list {
		key := statementKey{pool, s.SQL}
		if stmts[i] = p.stmts.get(key); stmts[i] != nil {
			continue
		}
		stmt, err := pool.PrepareContext(ctx, s.SQL)
		if err != nil {
			return nil, release, fmt.Errorf("%s: %w", s.Name, db.driver.cause(err))
		}
		if s.AdHoc || !p.stmts.put(key, stmt) {
			once = append(once, stmt)
		}
		stmts[i] = stmt
	}
	return stmts, release, nil
}

func (c *statements) get(key statementKey) *sql.Stmt {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.made[key]
}

// put reports whether stmt is kept now.
func (c *statements) put(key statementKey, stmt *sql.Stmt) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made[key] != nil || len(c.made) >= maxStatements {
		return false
	}
	if c.made == nil {
		c.made = map[statementKey]*sql.Stmt{}
	}
	c.made[key] = stmt
	return true
}

// reads reports whether s only reads. What is taken for a reading statement
// by mistake fails, because the readers' connections cannot write.
func reads(s query.Statement) bool {
	return len(s.SQL) > 6 && strings.EqualFold(s.SQL[:6], "SELECT")
}
