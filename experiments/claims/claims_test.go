package claims

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var two = List{
	{Name: "bottom up", Paper: "lower layers first", Measured: "rank correlation 0.9", Holds: true},
	{Name: "the top", Paper: "an exception", Measured: "none seen"},
}

func TestWrite(t *testing.T) {
	var text strings.Builder
	require.NoError(t, two.Write(&text))
	assert.Equal(t, `bottom up: holds
  paper     lower layers first
  measured  rank correlation 0.9
the top: DOES NOT HOLD
  paper     an exception
  measured  none seen
`, text.String())
	assert.Equal(t, []string{"the top"}, two.Failed())
	assert.Empty(t, two[:1].Failed())

	r, w := io.Pipe()
	gone := errors.New("gone")
	r.CloseWithError(gone)
	assert.ErrorIs(t, two.Write(w), gone)
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(two[:1])
	require.NoError(t, err)
	assert.Equal(t, `[{"name":"bottom up","paper":"lower layers first","measured":"rank correlation 0.9","holds":true}]`, string(text))
}
