// Package files keeps sessions as Django's file backend does: one file each in
// SESSION_FILE_PATH.
package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession"
)

var (
	// ErrName is returned for a name that no session file has. A get with one
	// finds nothing, without an error.
	ErrName = errors.New("not the name of a session file")
	// ErrTooLarge is returned for a file larger than the limit.
	ErrTooLarge = errors.New("the session file is too large")
)

// MaxBytes is how large a session file may be: 2 MiB, since session_data is
// base64, and the default of the data inside is 1 MiB.
const MaxBytes = 2 << 20

// maxName leaves room for the ending of a temporary file's name.
const maxName = 200

// Folder is a folder of session files. It is safe for concurrent use, and
// beside Django's processes.
type Folder struct {
	root *os.Root
}

// Open opens the folder at path, which must exist: Django's SESSION_FILE_PATH,
// or its temporary folder (usually /tmp) when that is not set.
func Open(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("session files: %w", err)
	}
	return &Folder{root}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Storage does one of the File operations. A symbolic link is not a session.
// Errors do not name the file, since its name is the key of a session.
func (f *Folder) Storage(ctx context.Context, op djsession.StorageOp) (result djsession.StorageResult, err error) {
	if err := ctx.Err(); err != nil {
		return result, fmt.Errorf("session files: %w", err)
	}
	switch {
	case op.Kind < djsession.FileGet || op.Kind > djsession.FileList:
		err = errors.New("the operation is not one of files")
	case op.Kind == djsession.FileList:
		result.Value, err = f.list(op.Key, op.Value)
	case !validName(op.Key) && op.Kind == djsession.FileGet:
		return result, nil
	case !validName(op.Key):
		err = ErrName
	case op.Kind == djsession.FileGet:
		result, err = f.get(op.Key)
	case op.Kind == djsession.FileCreate:
		result.Found, err = f.create(op.Key, op.Value)
	case op.Kind == djsession.FileReplace:
		result.Found, err = f.replace(op.Key, op.Value)
	case op.Kind == djsession.FileDelete:
		err = f.root.Remove(op.Key)
		result.Found = err == nil
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return djsession.StorageResult{}, fmt.Errorf("session files: %w", clean(err))
	}
	return result, nil
}

// list reads the whole folder each time: a page is long, and nobody waits.
func (f *Folder) list(prefix, after string) (string, error) {
	folder, err := f.root.Open(".")
	if err != nil {
		return "", err
	}
	defer folder.Close()
	files, err := folder.ReadDir(-1)
	if err != nil {
		return "", err
	}
	var names []string
	for _, file := range files {
		if name := file.Name(); strings.HasPrefix(name, prefix) && name > after && validName(name) && file.Type().IsRegular() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names[:min(len(names), djsession.ListLength)] {
		text.WriteString(name)
		text.WriteByte('\n')
	}
	return text.String(), nil
}

func (f *Folder) get(name string) (result djsession.StorageResult, err error) {
	if there, err := f.regular(name); !there {
		return result, err
	}
	// Not blocking, in case it has just become a pipe.
	file, err := f.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return result, nil
	}
	if err != nil {
		return result, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return result, err
	}
	if !info.Mode().IsRegular() {
		return result, errNotRegular
	}
	var text strings.Builder
	if n, err := io.Copy(&text, io.LimitReader(file, MaxBytes+1)); err != nil {
		return result, err
	} else if n > MaxBytes {
		return result, ErrTooLarge
	}
	return djsession.StorageResult{Found: true, Value: text.String(), Modified: info.ModTime()}, nil
}

// create takes the name first, and then writes as replace does, so that no
// reader sees half a session.
func (f *Folder) create(name, value string) (bool, error) {
	if len(value) > MaxBytes {
		return false, ErrTooLarge
	}
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err = file.Close(); err == nil {
		err = f.write(name, value)
	}
	if err != nil {
		_ = f.root.Remove(name)
		return false, err
	}
	return true, nil
}

// replace leaves a file alone that is not there: a logout has won.
func (f *Folder) replace(name, value string) (bool, error) {
	if len(value) > MaxBytes {
		return false, ErrTooLarge
	}
	if there, err := f.regular(name); !there {
		return false, err
	}
	if err := f.write(name, value); err != nil {
		return false, err
	}
	return true, nil
}

// write makes a new file and gives it the name, as Django does (SessionStore.save).
func (f *Folder) write(name, value string) error {
	temporary := name + "_out_" + strings.ToLower(rand.Text()[:16])
	file, err := f.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	if err = errors.Join(err, file.Close()); err == nil {
		err = f.root.Rename(temporary, name)
	}
	if err != nil {
		_ = f.root.Remove(temporary)
	}
	return err
}

// regular reports whether there is a file of that name; something else that
// has it is an error.
func (f *Folder) regular(name string) (bool, error) {
	info, err := f.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, errNotRegular
	}
	return true, nil
}

var errNotRegular = errors.New("something that is not a file has the name of a session")

// validName accepts the characters of a cookie's name (RFC 6265, a token),
// which Django puts before the key.
func validName(name string) bool {
	dots := true
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
		dots = dots && c == '.'
	}
	return !dots && len(name) <= maxName
}

// clean leaves the file's name out.
func clean(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
