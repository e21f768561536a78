package djsession

import (
	"context"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

type Session struct{ key string }

func NewSession(key string, items ...Item) *Session     { panic("todo") }
func (s *Session) Key() string                          { panic("todo") }
func (s *Session) Items() []Item                        { panic("todo") }
func (s *Session) Len() int                             { panic("todo") }
func (s *Session) Get(key string) (raw string, ok bool) { panic("todo") }
func (s *Session) Text(key string) (string, bool)       { panic("todo") }
func (s *Session) Set(key, raw string)                  { panic("todo") }
func (s *Session) SetText(key, text string)             { panic("todo") }
func (s *Session) Delete(key string)                    { panic("todo") }
func (s *Session) Clear()                               { panic("todo") }
func (s *Session) Accessed() bool                       { panic("todo") }
func (s *Session) Modified() bool                       { panic("todo") }
func (s *Session) Empty() bool                          { panic("todo") }

// Err says why the stored data could not be read; the session is then empty but keeps its key.
func (s *Session) Err() error { panic("todo") }

type Store struct{ set Settings }

func New(set Settings) (*Store, error)                                              { panic("todo") }
func (s *Store) Settings() Settings                                                 { panic("todo") }
func (s *Store) Statements() []query.Statement                                      { panic("todo") }
func (s *Store) Encode(items []Item, now time.Time) (string, error)                 { panic("todo") }
func (s *Store) Decode(data string) ([]Item, error)                                 { panic("todo") }
func ValidKey(key string) bool                                                      { panic("todo") }
func NewKey(ctx context.Context, fx Effects) (string, error)                        { panic("todo") }
func (s *Store) LoadStatement(key string, now time.Time) query.Statement            { panic("todo") }
func (s *Store) FromResult(key string, r query.Result) *Session                     { panic("todo") }
func (s *Store) Load(ctx context.Context, fx Effects, key string) (*Session, error) { panic("todo") }
func (s *Store) Create(ctx context.Context, fx Effects, sess *Session) error        { panic("todo") }
func (s *Store) Save(ctx context.Context, fx Effects, sess *Session) error          { panic("todo") }
func (s *Store) Delete(ctx context.Context, fx Effects, key string) error           { panic("todo") }
func (s *Store) CycleKey(ctx context.Context, fx Effects, sess *Session) error      { panic("todo") }
func (s *Store) Flush(ctx context.Context, fx Effects, sess *Session) error         { panic("todo") }
func (s *Store) ClearExpired(ctx context.Context, fx Effects) (int64, error)        { panic("todo") }
func (s *Store) ExpiryAge(sess *Session, now time.Time) (seconds int64, err error)  { panic("todo") }
func (s *Store) ExpirySeconds(sess *Session, now time.Time) (float64, error)        { panic("todo") }
func (s *Store) ExpiryDate(sess *Session, now time.Time) (time.Time, error)         { panic("todo") }
func (s *Store) ExpiresAtBrowserClose(sess *Session) bool                           { panic("todo") }
func (s *Store) SetCookie(sess *Session, now time.Time) (string, error)             { panic("todo") }
func (s *Store) DeleteCookie() string                                               { panic("todo") }
