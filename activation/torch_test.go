package activation

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCommandForTorch runs the command that Open gives for a file of PyTorch, as it
// stands, and reads what it makes.
func TestCommandForTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PyTorch three times")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("no shell: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "it's a $HOME")
	require.NoError(t, os.Mkdir(dir, 0o700))
	if python(t, `
import sys
try:
    import torch
except ImportError:
    print("no torch")
    sys.exit()
d = sys.argv[1] + "/"
x = ((torch.arange(12) * 37) % 4093 - 2046).reshape(3, 4)
torch.save(x.double(), d + "tensor.pt")
torch.save({"fc1": x.half(), "fc2": torch.nn.Parameter(x.float()), "half": x.to(torch.bfloat16), "epoch": 3}, d + "dict.bin", _use_new_zipfile_serialization=False)
`, dir) != "" {
		t.Skip("PyTorch is not installed")
	}
	t.Setenv("PATH", "/usr/bin:/bin") // the same python3
	command := regexp.MustCompile(`python3 -c '.*$`)
	for file, members := range map[string][]string{"tensor.pt": nil, "dict.bin": {"fc1", "fc2", "half"}} {
		_, err := Open(filepath.Join(dir, file))
		require.ErrorIs(t, err, ErrFormat)
		out, err := exec.Command(shell, "-c", command.FindString(err.Error())).CombinedOutput()
		require.NoError(t, err, "%s", out)
		made := filepath.Join(dir, file[:len(file)-len(filepath.Ext(file))])
		layer := made + ".npy"
		if members != nil {
			names, err := Members(made + ".npz")
			require.NoError(t, err)
			assert.Equal(t, members, names)
			layer = made + ".npz:fc1"
		}
		checkRead(t, opened(t, layer), func(row, col int) float64 { return value(row*4 + col) })
	}
}

// TestQuoted: a shell reads each word as it was.
func TestQuoted(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("no shell: %v", err)
	}
	for _, word := range []string{"", "a/b-1.pt", "it's", "a b", "$HOME", "`id`", `\`, "*", "'", "é", "-n", "~", "a\nb"} {
		out, err := exec.Command(shell, "-c", "printf %s "+quoted(word)).Output()
		require.NoError(t, err)
		assert.Equal(t, word, string(out))
	}
}
