// Package studytest runs the commands of studies in their tests.
package studytest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Run runs a command into a new directory and returns what it says and its numbers.
func Run[T any](t *testing.T, name string, work func(ctx context.Context, args []string, stdout, stderr io.Writer) error, args ...string) (stdout string, numbers *T, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "out")
	var out, errs bytes.Buffer
	require.Equal(t, program.Done, program.Run(context.Background(), name, work, append(args, "-o", dir), &out, &errs), errs.String())
	assert.Empty(t, errs.String())
	text, err := os.ReadFile(filepath.Join(dir, "result.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &numbers))
	return out.String(), numbers, dir
}
