package tui

import (
	"github.com/charmbracelet/bubbles/key"
)

// renderHelp lists every key, in as many columns as there is room for.
func renderHelp(s *styles, w, h int) []string {
	const columnWidth = 38
	columns := max(1, min(len(keys.groups()), (w-1)/columnWidth))
	lists := make([][]string, columns)
	for _, g := range keys.groups() {
		shortest := 0
		for i := range lists {
			if len(lists[i]) < len(lists[shortest]) {
				shortest = i
			}
		}
		lists[shortest] = append(lists[shortest], helpGroup(g, s)...)
	}
	height := 0
	for _, list := range lists {
		height = max(height, len(list)-1) // without the space below its last group
	}
	blocks := make([][]string, columns)
	for i, list := range lists {
		blocks[i] = exactly(list, columnWidth, height)
	}
	out := indent(beside(blocks...), 1)
	out = append(out, prose(s, dim, "▲3 ▼2 replicas wanted · ▶ swarm · M measure · A apply · V verify · ■ idle", w)...)
	out = append(out, prose(s, dim, "rates and p50 are the mean of a column; p95, p99 and counts its peak", w)...)
	return out[:min(len(out), h)]
}

func helpGroup(g keyGroup, s *styles) []string {
	out := []string{s.paint(strong, g.title)}
	for _, b := range g.keys {
		out = append(out, helpLine(b, s))
	}
	return append(out, "")
}

func helpLine(b key.Binding, s *styles) string {
	h := b.Help()
	return s.paint(accent, padLeft(h.Key, 10)) + " " + h.Desc
}
