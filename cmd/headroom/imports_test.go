package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// levels says who may import whom: a package imports only packages of lower
// levels. Anything else would let the engine know the screen.
var levels = map[string]int{
	"headroom/profiles/document":        -1, // text; knows nothing of what it says
	"headroom/scaler/again":             -1, // starts this program once more
	"headroom/scaler/httpapi/wire":      -1, // for tests
	"headroom/scaler/httpapi/described": -1, // for tests
	"headroom/profiles":                 0,
	"headroom/probe":                    0,
	"headroom/advisor/model":            0,
	"headroom/scaler/httpapi":           0,
	"headroom/profiles/platform":        1,
	"headroom/load":                     1,
	"headroom/scaler":                   1,
	"headroom/advisor/sim":              1,
	"headroom/advisor":                  2,
	"headroom/advisor/report":           3,
	"headroom/advisor/remote":           3,
	"headroom/tui/hush":                 -1, // imports nothing but os, to be first
	"headroom/tui":                      3,
	"headroom/cmd/headroom/target":      3,
	"headroom/cmd/headroom":             4,
}

// only lists who may import a library; those for the screen stay there.
var only = map[string][]string{
	"github.com/charmbracelet/": {"headroom/tui"},
	"github.com/guptarohit/":    {"headroom/tui"},
	"github.com/vbauerster/":    {"headroom/cmd/headroom"},
	"github.com/spf13/":         {"headroom/cmd/headroom"},
}

// forbidden are single imports that the levels would allow.
var forbidden = map[string]map[string]string{
	"headroom/advisor": {
		"headroom/scaler":            "the advisor sees a scaler through its own interface",
		"headroom/profiles/platform": "deciders of platforms are handed in",
	},
	"headroom/profiles/platform": {"headroom/probe": "a configuration has nothing to do with answers"},
}

func TestImportsRunDownwards(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "headroom/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		level, known := levels[p.ImportPath]
		if !known {
			t.Errorf("%s has no level: add it to the table", p.ImportPath)
		}
		for _, i := range p.Imports {
			if l, ours := levels[i]; ours && l >= level {
				t.Errorf("%s (level %d) imports %s (level %d)", p.ImportPath, level, i, l)
			}
			if why, ok := forbidden[p.ImportPath][i]; ok {
				t.Errorf("%s imports %s: %s", p.ImportPath, i, why)
			}
			for prefix, who := range only {
				if strings.HasPrefix(i, prefix) && !slices.Contains(who, p.ImportPath) {
					t.Errorf("%s imports %s, which is for %v only", p.ImportPath, i, who)
				}
			}
		}
	}
	if seen != len(levels) {
		t.Errorf("%d packages listed, %d in the table", seen, len(levels))
	}
}
