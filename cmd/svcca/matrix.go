package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// matrixFlags are what matrix was told.
type matrixFlags struct {
	optionFlags
	mapFlags
	selectFlags
	picture pictureFlags
	layers  layerArgs
	score   score
	memory  memory
	cache   string
	threads int
	skipBad bool
	dryRun  bool
	outputs []string
	force   bool
	json    bool
	quiet   bool
}

func newMatrix() *cobra.Command {
	f := &matrixFlags{}
	c := command(&cobra.Command{
		Use:   "matrix FILE… [--against FILE…] [flags]",
		Short: "Compares many layers with many",
		Long: `Compares layers, in the order given: .npy, .npz (or x.npz:fc1), .safetensors,
directories, patterns, shards part-N.npy. See svcca help selection, pictures.`,
		Example: `  svcca matrix a/*.npy 'run?/**/fc{1,2}.npy'
  svcca matrix a --against b -o ab.csv -o ab.json --cache /tmp/ab`,
	}, func(cmd *cobra.Command, args []string) error {
		if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
			return err
		}
		if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
			return err
		}
		if err := f.picture.check(cmd, f.outputs); err != nil {
			return err
		}
		if f.way.translates() {
			if err := refuse(cmd, "--conv "+string(f.way)+", which reduces layers pair by pair", "cache"); err != nil {
				return err
			}
		}
		if f.hashes && !f.json && len(f.outputs) == 0 {
			return misusef("--hashes is for what is written: --json or -o")
		}
		return f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	f.layers.register(flags)
	flags.TextVar(&f.score, "score", score("mean"), "show `S`: mean, mean_square, …")
	f.optionFlags.register(flags)
	f.mapFlags.register(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	f.picture.register(flags)
	for _, name := range pictureNames {
		flags.Lookup(name).Hidden = true // svcca help pictures has them
	}
	flags.TextVar(&f.memory, "memory", memory(0), "hold `SIZE`, as 2GiB (default: half of what is free)")
	flags.StringVar(&f.cache, "cache", "", "keep reduced layers in `DIR` (default: no)")
	flags.IntVar(&f.threads, "threads", 0, "work on `N` at once (default: a processor each)")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "leave out files that cannot be used (default: fail)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what it would take and stop (default: work)")
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "`OUT`.json, csv, npz, svg, png, pdf, … (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, warnings, notes on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// matrix is a call of the command.
type matrix struct {
	*matrixFlags
	stderr  io.Writer
	named   []string       // layers, as they were asked for
	known   map[string]int // index of inputs by their files
	inputs  []input
	files   []activation.Layer // of inputs; nil where left out
	views   []activation.Layer // of files, as they are compared
	chosen  *choosing
	left    []leftOut
	rows    []int  // indices of inputs
	columns []int  // nil: the rows
	alone   bool   // whether maps may be among them is looked at later
	whole   []int  // inputs of which --neurons takes all
	without string // the flag that leaves out layers, if not skipFlag
	command string // whose matrix it is, if not of matrix
	told    []int  // inputs of which somebody said how their maps are read
	bar     *progress
	mu      sync.Mutex
}

// leftOut is a layer that --skip-bad passed over.
type leftOut struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func (f *matrixFlags) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	m := &matrix{matrixFlags: f, stderr: stderr, known: map[string]int{}, left: []leftOut{}}
	if err := m.expand(args); err != nil {
		return err
	}
	outputs, err := m.targets()
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.prepare(ctx); err != nil {
		return err
	}
	if f.dryRun && f.way.translates() {
		return m.estimateMaps(ctx, stdout)
	}
	if f.dryRun {
		return m.estimate(ctx, stdout)
	}
	pane, err := m.compute(ctx)
	if err != nil {
		return err
	}
	if err := m.enough(len(pane.Rows), len(pane.Columns)); err != nil {
		return err
	}
	made, err := m.made(ctx)
	if err != nil {
		return err
	}
	pane.selection = m.chosen.told()
	if pane.alignment, err = pane.align(f.score); err != nil {
		return err
	}
	result := matrixJSON{
		Schema: "svcca.matrix/1", Version: version(), Score: f.score, making: made, Pane: pane.Pane, Options: wayOptions{pane.Options, f.mapFlags}, Selection: pane.selection, Translated: pane.pairs, Alignment: pane.alignment,
		Skipped: m.left, Backend: native.Describe(), picture: f.picture,
	}
	for _, out := range outputs {
		if err := out.check(&result); err != nil {
			return err
		}
	}
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(ctx, &result); err != nil {
			return err
		}
		m.notice(out.wrote())
	}
	if f.json {
		err = writeJSON(stdout, &result)
	} else {
		err = writeMatrix(stdout, localStyle(), screenColumns(stdout), f.score, pane)
	}
	if err == nil {
		m.warnings(pane)
	}
	return err
}

// prepare opens the layers and makes of them what is compared.
func (m *matrix) prepare(ctx context.Context) error {
	if err := m.open(ctx); err != nil {
		return err
	}
	if err := m.choose(); err != nil {
		return err
	}
	if err := m.checkMaps(); err != nil {
		return err
	}
	if err := m.enough(len(m.present(m.rows)), len(m.present(m.columns))); err != nil {
		return err
	}
	m.chosen.layers = m.views
	if err := m.chosen.finish(ctx, m.dryRun); err != nil {
		return err
	}
	return m.readWeights(ctx, m.chosen.rows, m.chosen.of)
}

// window returns how much memory the work may take at a time: what --memory says,
// or half of what the machine can spare, so that as much is left for the layers'
// bases; where it does not say, the library's own 1 GiB.
func (m *matrixFlags) window() int64 {
	room, _, known := m.memory.room()
	switch {
	case !known:
		return 0
	case m.memory > 0:
		return room
	}
	return max(1, room/2)
}

// paneOptions returns what the library is told.
func (m *matrix) paneOptions() svcca.PaneOptions {
	return svcca.PaneOptions{Options: m.options, Scores: m.score.kind().needs, Workers: m.threads, Memory: m.window()}
}

// paneLayers returns the layers of the rows and of the columns, nil where these
// are the rows.
func (m *matrix) paneLayers() (layers, against []svcca.Layer) {
	for _, i := range m.present(m.rows) {
		layers = append(layers, m.views[i])
	}
	for _, i := range m.present(m.columns) {
		against = append(against, m.views[i])
	}
	return layers, against
}

// compute scores the pairs, and makes sure that no file changed meanwhile.
func (m *matrix) compute(ctx context.Context) (*scored, error) {
	m.bar = newProgress(m.stderr, m.quiet)
	defer func() { m.bar.clear() }()
	work := m.pairwise
	if m.way.translates() {
		work = m.translate
	}
	pane, err := work(ctx)
	m.bar.clear()
	if changed := m.unchanged(); changed != nil {
		return nil, changed // and what else is wrong is no wonder
	}
	return pane, err
}

// unchanged returns an error where a file is not what it was when opened.
func (m *matrix) unchanged() error {
	for _, f := range m.files {
		if f != nil {
			if err := f.Unchanged(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pairwise scores the pairs of layers of two dimensions.
func (m *matrix) pairwise(ctx context.Context) (*scored, error) {
	o := m.paneOptions()
	if m.cache != "" {
		cache, err := openCache(m.cache, func(text string) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.notice(text)
		})
		if err != nil {
			return nil, err
		}
		o.Cache = cache
	}
	o.Progress = func(g svcca.Progress) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.bar.show(g)
	}
	skipped := map[string]string{}
	bad := false // what is wrong is a layer, and there are others
	o.Skip = func(layer string, err error) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		if ofCache(err) {
			return false // no fault of the layer
		}
		if !m.skipBad {
			bad = len(m.inputs) > 1
			return false
		}
		skipped[layer] = message(m.placed(ctx, err, m.views, m.inputs))
		return true
	}
	layers, against := m.paneLayers()
	pane, err := svcca.Pairwise(ctx, layers, against, o)
	switch err = m.placed(ctx, err, m.views, m.inputs); {
	case errors.Is(err, svcca.ErrMemory):
		return nil, fmt.Errorf("%s\n--memory SIZE allows more", message(err))
	case bad && !ofCache(err):
		return nil, m.skipHint(err)
	case err != nil:
		return nil, err
	}
	for i, in := range m.inputs {
		if reason, is := skipped[in.name]; is && m.files[i] != nil {
			m.leave(i, reason)
		}
	}
	s := &scored{Pane: pane, mapFlags: m.mapFlags}
	if m.firstFile() != nil {
		s.images = m.datapoints()
	}
	switch s.way {
	case byFlatten:
		flattened(pane)
	case byPixels:
		pane.Warnings = append(pane.Warnings, svcca.Warning{Code: warnPositions, Text: "positions of one image are correlated: the chance levels are lower bounds"})
	}
	return s, nil
}

// made describes the layers that a pane is made of, and makes sure that they have not
// changed when that is done.
func (m *matrix) made(ctx context.Context) (making, error) {
	inputs, err := m.describeLayers(ctx, m.inputs, m.files)
	if err == nil {
		err = m.describeSelection(ctx, &m.selectFlags, m.inputs, m.files)
	}
	if changed := m.unchanged(); changed != nil {
		err = changed
	}
	return m.making(ctx, inputs), err
}

const mostWarnings = 5

// warnings says what limits the result.
func (m *matrix) warnings(pane *scored) {
	for i, w := range pane.Warnings {
		if w.Code == warnPositions && !m.json {
			continue // said below the table
		}
		if i == mostWarnings {
			m.notice(fmt.Sprintf("warning: and %d more: --json has them all", len(pane.Warnings)-i))
			break
		}
		m.notice("warning: " + w.Text)
	}
	if hint := orderHint(pane); hint != "" {
		m.notice("note: " + hint)
	}
}
