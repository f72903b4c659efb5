package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const partialSchema = "svcca.partial/1"

// partialHead says of what OUT.partial holds the sums: a line of JSON, before the
// sums and a SHA-256 of both.
type partialHead struct {
	Schema string     `json:"schema"`
	Flags  string     `json:"flags"` // those that change the sums
	Files  []fileSeen `json:"files"`
	Done   int        `json:"done"` // datapoints
}

// fileSeen is a file as it was.
type fileSeen struct {
	Path     string    `json:"path"`
	Of       string    `json:"of"` // "x", "y" or "weights"
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

// checkpoints keep the sums of long work in OUT.partial, so that it may go on after
// an interrupt.
type checkpoints struct {
	target *target
	head   partialHead // Done is what the file holds
	last   time.Time
	failed bool // to save
	memory memory
}

// newCheckpoints describes the work: layers and weights must be open, so that
// files that change from here on are found out.
func newCheckpoints(out, flags string, inputs []input, weights string, m memory) (*checkpoints, error) {
	t, err := newTarget(out+".partial", true)
	if err != nil {
		return nil, err
	}
	c := &checkpoints{target: t, head: partialHead{Schema: partialSchema, Flags: flags}, last: time.Now(), memory: m}
	see := func(of, path string) error {
		info, err := os.Stat(fileOf(path))
		if err != nil {
			return err
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		c.head.Files = append(c.head.Files, fileSeen{path, of, info.Size(), info.ModTime().UTC()})
		return nil
	}
	for i, in := range inputs {
		for _, path := range in.paths {
			if err := see(string(rune('x'+i)), path); err != nil {
				return nil, err
			}
		}
	}
	if weights != "" {
		err = see("weights", weights)
	}
	return c, err
}

// load returns the sums that an earlier run has left, and of how many datapoints;
// none where there are none.
func (c *checkpoints) load() (s sums, done int, err error) {
	path := c.target.path
	data, err := readPlain(path, c.memory)
	if errors.Is(err, fs.ErrNotExist) {
		return s, 0, nil
	}
	if err != nil {
		return s, 0, err
	}
	head, s, ok := decodePartial(data)
	if !ok {
		return s, 0, fmt.Errorf("%s is damaged: delete it to begin anew", shown(path))
	}
	if why := head.differs(c.head); why != "" {
		return s, 0, fmt.Errorf("%s was left by other work: %s: delete it to begin anew, or give -o another name", shown(path), why)
	}
	c.head.Done = head.Done
	return s, head.Done, nil
}

// differs says in what the work is another than now's, or "".
func (p partialHead) differs(now partialHead) string {
	if p.Flags != now.Flags {
		return fmt.Sprintf("it was begun with %q, this is %q", p.Flags, now.Flags)
	}
	if len(p.Files) != len(now.Files) {
		return fmt.Sprintf("it reads %s, this %d", plural(len(p.Files), "file"), len(now.Files))
	}
	for i, was := range p.Files {
		is := now.Files[i]
		switch {
		case was.Path != is.Path || was.Of != is.Of:
			return fmt.Sprintf("it reads %s as %s, this %s as %s", shown(was.Path), was.Of, shown(is.Path), is.Of)
		case was.Size != is.Size || !was.Modified.Equal(is.Modified):
			return fmt.Sprintf("%s was written since, at %s", shown(is.Path), is.Modified.Format(time.RFC3339))
		}
	}
	return ""
}

// decodePartial reads what save wrote.
func decodePartial(data []byte) (head partialHead, s sums, ok bool) {
	end := len(data) - sha256.Size
	if end < 0 {
		return head, s, false
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return head, s, false
	}
	line, rest, _ := bytes.Cut(data[:end], []byte("\n"))
	if json.Unmarshal(line, &head) != nil || head.Schema != partialSchema {
		return head, s, false
	}
	s, of, err := decodeSums(rest)
	return head, s, err == nil && of.Datapoints == head.Done
}

// due reports whether it is time to save.
func (c *checkpoints) due() bool { return c != nil && time.Since(c.last) >= summing.every }

// save keeps the sums of the datapoints done, if these are more than are kept.
func (c *checkpoints) save(s sums, done int) error {
	if c == nil || done <= c.head.Done {
		return nil
	}
	data, err := s.of.MarshalBinary()
	if err != nil {
		return err
	}
	head := c.head
	head.Done = done
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	h := sha256.New()
	for _, part := range [][]byte{line, data} {
		h.Write(part)
	}
	err = c.target.write(func(w io.Writer) error {
		for _, part := range [][]byte{line, data, h.Sum(nil)} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
	if c.failed = err != nil; !c.failed {
		c.head.Done, c.last = done, time.Now()
	}
	return err
}

// remove removes the file, which is of no more use.
func (c *checkpoints) remove() error {
	if c == nil {
		return nil
	}
	err := os.Remove(c.target.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
