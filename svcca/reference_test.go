package svcca

import (
	"encoding/json"
	"os"
	"testing"
	"path/filepath"
	"strings"
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
)

type refRule struct {
	KX, KY int
	Rho []float64
	Mean, MeanSquare, WeightedX, WeightedY, Weighted, PwccaX, PwccaY float64
}
type part struct { f *activation.File; r0,r1,c0,c1 int; name string }
func (p part) Name() string { return p.name }
func (p part) Dims() (int,int) { return p.r1-p.r0, p.c1-p.c0 }
func (p part) Storage() string { return p.f.Storage() }
func (p part) Read(dst lapack.Matrix[float64], r, c int) error { return p.f.Read(dst, r+p.r0, c+p.c0) }
func open(root, name string) part {
	path, rest, _ := strings.Cut(name, "[")
	f, err := activation.Open(filepath.Join(root, path+".npy")); if err != nil { panic(err) }
	n, d := f.Dims()
	p := part{f,0,n,0,d,name}
	if strings.HasPrefix(rest, ":,") { fmt.Sscanf(rest, ":,%d]", &p.c0); p.c1=p.c0+1 } else if rest != "" { fmt.Sscanf(rest, "%d:%d]", &p.r0,&p.r1) }
	return p
}

func TestQuick(t *testing.T) {
	root := "../../shared/activations"
	b, _ := os.ReadFile(root+"/reference.json")
	var doc struct { Layers map[string]map[string]any; Pairs []struct{X,Y string; Rules map[string]map[string]any} }
	if err := json.Unmarshal(b, &doc); err != nil { t.Fatal(err) }
	for _, p := range doc.Pairs { for rule, r := range p.Rules {
		k, _ := ParseKeep(rule)
		c, err := Between(open(root,p.X), open(root,p.Y), Options{Keep:k})
		if err != nil { t.Error(p.X,p.Y,rule,err); continue }
		bad := ""
		if float64(c.X.K) != r["kx"].(float64) || float64(c.Y.K) != r["ky"].(float64) { t.Error(p.X,p.Y,rule,"k",c.X.K,r["kx"],c.Y.K,r["ky"]); continue }
		worst := 0.0
		for i, v := range r["rho"].([]any) { worst = math.Max(worst, math.Abs(v.(float64)-c.Rho[i])) }
		w := math.Max(math.Abs(r["weighted_x"].(float64)-c.WeightedX), math.Abs(r["weighted_y"].(float64)-c.WeightedY))
		pw := math.Max(math.Abs(r["pwcca_x"].(float64)-c.PWCCAX), math.Abs(r["pwcca_y"].(float64)-c.PWCCAY))
		if !r["pwcca_unique"].(bool) { pw = -pw }
		if !r["weighted_unique"].(bool) { w = -w }
		if c.PWCCAUnique != r["pwcca_unique"].(bool) || c.WeightedUnique != r["weighted_unique"].(bool) { bad += " UNIQUE" }
		if worst > c.ErrorBound { bad += " RHO" }
		if w > c.ErrorBound { bad += " WEIGHTED" }
		if pw > c.ErrorBound { bad += " PWCCA" }
		if c.ErrorBound > 1e-8 { bad += " BOUND" }
		fmt.Printf("%-28s %-28s %-14s %-14s bound %.1e rho %.1e w %.1e pw %.1e%s\n", p.X,p.Y,rule,c.Method,c.ErrorBound,worst,w,pw,bad)
	}}
	for name, l := range doc.Layers {
		if l["s1_over_s_rank"] == nil { continue }
		r, err := Reduce(open(root,name), Options{Keep: FullRank()})
		if err != nil { t.Error(err); continue }
		if float64(r.Rank) != l["rank_storage"].(float64) || float64(r.Constant) != l["constant"].(float64) { fmt.Println("RANK", name, r.Rank, l["rank_storage"], r.Constant, l["constant"], l["rank_safe"]) }
	}
}
