package activation

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// sniffBytes suffice to tell kinds of files apart by their beginning.
const sniffBytes = 256

// signatures are of files that are mistaken for a .npy, in the order tried.
var signatures = []struct{ magic, kind string }{
	{"\x89HDF\r\n\x1a\n", "an HDF5 file: save each of its arrays with numpy.save, or all with numpy.savez"},
	{"\x1f\x8b", "compressed by gzip: uncompress it first"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd: uncompress it first"},
	{"\xfd7zXZ\x00", "compressed by xz: uncompress it first"},
	{"MATLAB 5.0 MAT-file", "a MATLAB file: save each of its arrays with numpy.save, or all with numpy.savez"},
	{"version https://git-lfs", "a Git LFS pointer: fetch the file itself with git lfs pull"},
	{"PK\x05\x06", "an empty .zip or .npz archive"},
}

// sniff says what the file name, which begins with head and is no .npy, looks like.
func sniff(name string, head []byte) string {
	if len(head) == 0 {
		return "the file is empty"
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return "this is " + s.kind
		}
	}
	switch {
	case looksLikeZip(head):
		return "this is " + sniffZip(name, head)
	case len(head) >= 2 && head[0] == 0x80 && 2 <= head[1] && head[1] <= 5:
		return "this is a pickle, perhaps of PyTorch: " + fromTorch(name)
	case looksLikeTensors(head):
		return "this looks like a .safetensors file: " + openByPath
	case isText(head):
		return "this looks like text: save the array with numpy.save, not numpy.savetxt"
	}
	return "it begins with " + clip(string(head[:min(len(head), 8)]))
}

// openByPath is advice for archives where one array is read.
const openByPath = "only a path opens one of its arrays, as in x.npz:fc1"

// sniffZip tells .npz from PyTorch's .pt by the name of the first member, which
// its local header gives: length at byte 26, name from byte 30.
func sniffZip(name string, head []byte) string {
	if len(head) >= 30 {
		length := int(binary.LittleEndian.Uint16(head[26:]))
		member := head[30:min(len(head), 30+length)]
		switch {
		case bytes.HasSuffix(member, []byte(".npy")):
			return "a .npz archive: " + openByPath
		case bytes.HasSuffix(member, []byte("data.pkl")):
			return "a PyTorch file: " + fromTorch(name)
		}
	}
	return "a zip archive, such as .npz or PyTorch's .pt: " + openByPath
}

// torchScript makes a .npy of a tensor, or a .npz of a dictionary of tensors. Numpy
// has no bfloat16.
const torchScript = `import sys, numpy as np, torch; x = torch.load(sys.argv[1], map_location="cpu"); ` +
	`a = lambda t: (t.float() if t.dtype == torch.bfloat16 else t).detach().numpy(); ` +
	`np.save(sys.argv[2], a(x)) if torch.is_tensor(x) else np.savez(sys.argv[2], **{k: a(t) for k, t in x.items() if torch.is_tensor(t)})`

// fromTorch returns the command that converts PyTorch's file at path.
func fromTorch(path string) string {
	return "convert it by python3 -c '" + torchScript + "' " + quoted(path) + " " + quoted(strings.TrimSuffix(path, filepath.Ext(path)))
}

// quoted returns s as one word for a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("./_-+:,@%", r))
	}
	if s != "" && strings.IndexFunc(s, plain) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\\''`) + "'"
}

func isText(head []byte) bool {
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(head) // cut by the end of head
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return false
		}
		head = head[size:]
	}
	return true
}
