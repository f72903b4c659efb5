package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree makes empty files and goes where they are.
func tree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, nil, 0o600))
	}
}

// layersOf returns "name" for a layer of the file of that name, else
// "name=path,path", and the first fault.
func layersOf(layers []input) (text []string, fault error) {
	for _, in := range layers {
		s := in.name
		if len(in.paths) != 1 || in.paths[0] != in.name {
			s += "=" + strings.Join(in.paths, ",")
		}
		text = append(text, s)
		if fault == nil {
			fault = in.fault
		}
	}
	return text, fault
}

func TestExpandLayers(t *testing.T) {
	tree(t,
		"a/layer2.npy", "a/layer10.npy", "a/layer1.npy", "a/notes.txt", "a/.layer3.npy", "a/deep/er/fc.npy",
		"b/conv/part-10.npy", "b/conv/part-2.npy", "b/conv/part-9.npy",
		"b/fc.part-0.npy", "b/fc.part-1.npy", "b/last.npy",
		"c/out-00001-of-00002.npy", "c/out-00002-of-00002.npy", "c/part-0-of-2.npy", "c/part-1-of-2.npy",
		"d[1].npy", "d1.npy", "part-7.npy")
	here, err := os.Getwd()
	require.NoError(t, err)
	for _, c := range []struct {
		args string
		want string
	}{
		{"a/layer10.npy a/layer2.npy", "a/layer2.npy a/layer10.npy"},
		{"a/layer2.npy a/layer10.npy a/layer1.npy", "a/layer2.npy a/layer10.npy a/layer1.npy"},
		{"a", "a/deep/er/fc.npy a/layer1.npy a/layer2.npy a/layer10.npy"},
		{"a/", "a/deep/er/fc.npy a/layer1.npy a/layer2.npy a/layer10.npy"},
		{"a/*.npy", "a/layer1.npy a/layer2.npy a/layer10.npy"},
		{"a/layer[12]*.npy a/*2.npy", "a/layer1.npy a/layer2.npy a/layer10.npy"},
		{"a/{layer1,layer2}.npy", "a/layer1.npy a/layer2.npy"},
		{"a/*", "a/deep/er/fc.npy a/layer1.npy a/layer2.npy a/layer10.npy"},
		{"a/**/fc.npy", "a/deep/er/fc.npy"},
		{"a/.layer3.npy", "a/.layer3.npy"},
		{"b", "b/conv=b/conv/part-2.npy,b/conv/part-9.npy,b/conv/part-10.npy b/fc=b/fc.part-0.npy,b/fc.part-1.npy b/last.npy"},
		{"b/conv", "b/conv=b/conv/part-2.npy,b/conv/part-9.npy,b/conv/part-10.npy"},
		{"b/conv/part-10.npy b/conv/part-9.npy", "b/conv=b/conv/part-9.npy,b/conv/part-10.npy"},
		{"c", "c/out=c/out-00001-of-00002.npy,c/out-00002-of-00002.npy c=c/part-0-of-2.npy,c/part-1-of-2.npy"},
		{"d[1].npy", "d[1].npy"},
		{"d?.npy", "d1.npy"},
		{"part-7.npy", filepath.Base(here) + "=part-7.npy"},
		{"absent.npy", "absent.npy"}, // found out when opened
	} {
		layers, _, err := expandLayers(strings.Fields(c.args))
		require.NoError(t, err, c.args)
		got, fault := layersOf(layers)
		assert.NoError(t, fault, c.args)
		assert.Equal(t, strings.Fields(filepath.FromSlash(c.want)), got, c.args)
	}
	for _, c := range []struct{ arg, says string }{
		{"a/lay[er.npy", "lacks the end of a [ or a {"},
		{"a/loyer*.npy", "a/loyer*.npy: the pattern matches no .npy, .npz or .safetensors file: there is a/"},
		{"x/*.npy", "x/*.npy: the pattern matches no .npy, .npz or .safetensors file: there is a"},
		{"b/cunv/*.npy", "there is b/conv"},
		{"a/*/fc*.npy", "there is a/deep/er"},
		{"a/*.txt", "matches no .npy, .npz or .safetensors file"},
	} {
		_, _, err := expandLayers([]string{c.arg})
		assert.ErrorContains(t, err, c.says)
	}
	require.NoError(t, os.Mkdir("empty", 0o700))
	_, _, err = expandLayers([]string{"empty"})
	assert.ErrorContains(t, err, "empty: no .npy, .npz or .safetensors file in this directory")
}

func TestShardsAmiss(t *testing.T) {
	for _, c := range []struct{ files, says string }{
		{"x-1-of-4.npy x-3-of-4.npy", "x: of 4 shards, 2, 4 are missing"},
		{"x-0-of-3.npy x-2-of-3.npy", "x: of 3 shards, 1 is missing"},
		{"x-1-of-9.npy", "x: of 9 shards, 2, 3, 4, 5, 6 and 3 more are missing"},
		{"x-1-of-999999999999.npy", "and 999999999993 more are missing"},
		{"x-1-of-7.npy x-100-of-7.npy x-200-of-7.npy", "2, 3, 4, 5, 6 and 1 more are missing"},
		{"x-0-of-2.npy x-1-of-2.npy x-2-of-2.npy", "x-2-of-2.npy is more"},
		{"x-0-of-1.npy x-5-of-1.npy x-6-of-1.npy x-7-of-1.npy", "x-5-of-1.npy is more"},
		{"x-1-of-0.npy", "counts 1 shard or more, not 0"},
		{"x-1-of-99999999999999999999.npy", "not 99999999999999999999"},
		{"x-1-of-1.npy x-1-of-2.npy x-2-of-2.npy", "shards of two kinds"},
		{"l/part-1.npy l/part-01.npy", "shard 1 is there twice, l/part-01.npy and l/part-1.npy"},
	} {
		tree(t, strings.Fields(c.files)...)
		layers, _, err := expandLayers([]string{"**/*.npy"})
		require.NoError(t, err)
		require.Len(t, layers, 1)
		_, err = layers[0].open(opening{})
		assert.ErrorContains(t, err, c.says)
	}
}

func TestOneLayer(t *testing.T) {
	tree(t, "l/part-10.npy", "l/part-2.npy", "two/fc1.npy", "two/conv.npy", "m/x-1-of-3.npy", "m/x-2-of-3.npy", "ranks/r0/fc.npy", "ranks/r1/fc.npy", "s[1].npy")
	for _, c := range []struct{ arg, want string }{
		{"l/part-*.npy", "l/part-*.npy=l/part-2.npy,l/part-10.npy"},
		{"l/part-1?.npy", "l/part-10.npy"},
		{"l", "l=l/part-2.npy,l/part-10.npy"},
		{"ranks/*/fc.npy", "ranks/*/fc.npy=ranks/r0/fc.npy,ranks/r1/fc.npy"},
		{"s[1].npy", "s[1].npy"},
		{"absent.npy", "absent.npy"},
	} {
		in, err := oneLayer(c.arg)
		require.NoError(t, err, c.arg)
		got, fault := layersOf([]input{in})
		assert.NoError(t, fault, c.arg)
		assert.Equal(t, []string{c.want}, got, c.arg)
	}
	_, err := oneLayer("two/*.npy")
	assert.ErrorContains(t, err, "two/*.npy matches two/conv.npy and two/fc1.npy")
	_, err = oneLayer("two")
	assert.ErrorContains(t, err, "two is a directory of 2 layers, where one is needed: give one of them, such as two/conv.npy")
	in, err := oneLayer("m/*.npy")
	require.NoError(t, err)
	_, err = in.open(opening{})
	assert.ErrorContains(t, err, "of 3 shards, 3 is missing")
}

func TestOpenShards(t *testing.T) {
	t.Chdir(t.TempDir())
	whole := gaussian(1, 30, 4)
	save(t, "x-1-of-2.npy", whole.View(0, 0, 20, 4).Clone())
	save(t, "x-2-of-2.npy", whole.View(20, 0, 10, 4).Clone())
	layers, _, err := expandLayers([]string{"*.npy"})
	require.NoError(t, err)
	require.Len(t, layers, 1)
	l, err := layers[0].open(opening{})
	require.NoError(t, err)
	defer l.Close()
	assert.Equal(t, "x", l.Name())
	got := lapack.New[float64](30, 4)
	require.NoError(t, l.Read(got, 0, 0))
	assert.Equal(t, whole.Data, got.Data)
	_, err = layers[0].open(opening{transpose: true})
	assert.ErrorContains(t, err, "--transpose takes layers of one file")
	l, err = input{name: "absent.npy", paths: []string{"absent.npy"}}.open(opening{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.Nil(t, l)
}
