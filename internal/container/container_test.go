package container

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type head struct {
	Schema string `json:"schema"`
	Note   string `json:"note,omitempty"`
}

// TestWriteWith: an entry more changes nothing else, and whoever does not know it does
// not meet it.
func TestWriteWith(t *testing.T) {
	data, err := Encode(head{Schema: "test/1"}, []float64{1, 2}, []float64{3})
	require.NoError(t, err)
	was := bytes.Clone(data)
	var out bytes.Buffer
	require.NoError(t, WriteWith(&out, data, "note", "<{\"}>"))
	assert.Equal(t, was, data)
	c, err := Open(out.Bytes())
	require.NoError(t, err)
	assert.Equal(t, "test/1", c.Schema)
	var h head
	require.NoError(t, c.Decode(&h))
	assert.Equal(t, head{"test/1", "<{\"}>"}, h)
	var without struct{ Schema string }
	require.NoError(t, c.Decode(&without))
	values, err := c.Next(3)
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2, 3}, values)
	assert.NoError(t, c.End())

	full := errors.New("full")
	for room := range out.Len() {
		require.ErrorIs(t, WriteWith(&limited{room, full}, data, "note", "<{\"}>"), full)
	}
	assert.Error(t, WriteWith(&out, data, "note", func() {}), "no JSON")
}

// limited takes so many bytes and no more.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.room)
	if l.room -= n; n < len(p) {
		return n, l.err
	}
	return n, nil
}
