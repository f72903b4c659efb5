package activation

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// sniffBytes suffice to tell kinds of files apart by their beginning.
const sniffBytes = 256

// signatures are of files that are mistaken for a .npy, in the order tried.
var signatures = []struct{ magic, kind string }{
	{"\x89HDF\r\n\x1a\n", "an HDF5 file: save each of its arrays with numpy.save"},
	{"\x1f\x8b", "compressed by gzip: uncompress it first"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd: uncompress it first"},
	{"\xfd7zXZ\x00", "compressed by xz: uncompress it first"},
	{"MATLAB 5.0 MAT-file", "a MATLAB file: save each of its arrays with numpy.save"},
	{"version https://git-lfs", "a Git LFS pointer: fetch the file itself with git lfs pull"},
	{"PK\x05\x06", "an empty .zip or .npz archive"},
}

// sniff says what a file that begins with head, and is no .npy, looks like.
func sniff(head []byte) string {
	if len(head) == 0 {
		return "the file is empty"
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return "this is " + s.kind
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "this is " + sniffZip(head)
	case len(head) >= 2 && head[0] == 0x80 && 2 <= head[1] && head[1] <= 5:
		return "this is a pickle, perhaps of PyTorch: save the tensor with numpy.save"
	case len(head) >= 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32:
		return "this looks like a .safetensors file: save the tensor with numpy.save"
	case isText(head):
		return "this looks like text: save the array with numpy.save, not numpy.savetxt"
	}
	return "it begins with " + clip(string(head[:min(len(head), 8)]))
}

// sniffZip tells .npz from PyTorch's .pt by the name of the first member, which
// its local header gives: length at byte 26, name from byte 30.
func sniffZip(head []byte) string {
	if len(head) >= 30 {
		length := int(binary.LittleEndian.Uint16(head[26:]))
		member := head[30:min(len(head), 30+length)]
		switch {
		case bytes.HasSuffix(member, []byte(".npy")):
			return "a .npz archive: save each of its arrays with numpy.save"
		case bytes.HasSuffix(member, []byte("data.pkl")):
			return "a PyTorch file: save the tensor with numpy.save"
		}
	}
	return "a zip archive, such as .npz or PyTorch's .pt: save each array with numpy.save"
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
