package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// dirCache is a svcca.Cache in a directory: a file for each key, in a subdirectory
// called after the key's first two letters. Files are written beside their place
// and renamed, so that a process that is killed leaves none half-written.
type dirCache struct {
	dir  string
	warn func(text string) // told once that nothing can be kept
	once sync.Once
}

// openCache returns the cache in dir, which is made where it is not there.
func openCache(dir string, warn func(string)) (*dirCache, error) {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return &dirCache{dir: dir, warn: warn}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no directory %s to make the cache in", shown(dir), shown(filepath.Dir(dir)))
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no directory: --cache takes one, or a name for a new one", shown(dir))
	}
	c := &dirCache{dir: dir, warn: warn}
	c.sweep(time.Now().Add(-24 * time.Hour))
	return c, nil
}

// path returns where the data of a key are.
func (c *dirCache) path(key string) (string, error) {
	if _, err := hex.DecodeString(key); err != nil || len(key) < 4 {
		return "", fmt.Errorf("%s: a key of hexadecimal digits expected, not %q", shown(c.dir), key)
	}
	return filepath.Join(c.dir, key[:2], key[2:]), nil
}

// Get returns what was put under key, or nil.
func (c *dirCache) Get(key string) ([]byte, error) {
	path, err := c.path(key)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &cacheError{err}
	}
	return data, nil
}

// cacheError is a fault of the cache, which is none of the layer that was looked for.
type cacheError struct{ error }

func (e *cacheError) Unwrap() error { return e.error }

func ofCache(err error) bool {
	var cached *cacheError
	return errors.As(err, &cached)
}

// Put keeps data under key. Where it cannot, that is said once and no error:
// results are right without.
func (c *dirCache) Put(key string, data []byte) error {
	path, err := c.path(key)
	if err != nil {
		return err
	}
	if err := c.put(path, data); err != nil {
		c.once.Do(func() {
			c.warn("warning: the cache keeps nothing more: " + message(err) + ". The results do not depend on it.")
		})
	}
	return nil
}

func (c *dirCache) put(path string, data []byte) error {
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	t := target{path: path, force: true}
	return t.write(func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// sweep removes what processes that were killed before a time have left. Nobody
// reads it, so errors are of no interest.
func (c *dirCache) sweep(before time.Time) {
	dirs, _ := os.ReadDir(c.dir)
	for _, dir := range dirs {
		if _, err := hex.DecodeString(dir.Name()); err != nil || len(dir.Name()) != 2 || !dir.IsDir() {
			continue // not ours
		}
		files, _ := os.ReadDir(filepath.Join(c.dir, dir.Name()))
		for _, f := range files {
			info, err := f.Info()
			if err == nil && strings.HasPrefix(f.Name(), ".") && info.Mode().IsRegular() && info.ModTime().Before(before) {
				os.Remove(filepath.Join(c.dir, dir.Name(), f.Name()))
			}
		}
	}
}
