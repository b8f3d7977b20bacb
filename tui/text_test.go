package tui

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestNumbers(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{figure(0), "0.0"}, {figure(412.64), "412.6"}, {figure(999.96), "1000"}, {figure(99999.6), "100k"}, {figure(2.5e6), "2.50M"},
		{figure(math.Inf(1)), none}, {figure(1e300), "1e+282E"},
		{count(0), "0"}, {count(9_999_999), "9999999"}, {count(10_000_000), "10.0M"}, {count(int64(math.MaxInt64)), "9.22E"},
		{percent(0), "0.00%"}, {percent(0.17376), "17.38%"}, {percent(0.99994), "99.99%"}, {percent(0.99996), "100.0%"}, {percent(1), "100.0%"},
		{millis(420 * time.Microsecond), "0.42"}, {millis(11830 * time.Microsecond), "11.8"}, {millis(999960 * time.Microsecond), "1000"},
		{millis(2500 * ms), "2500"}, {millis(12 * time.Second), "12s"}, {millis(math.MaxInt64), "∞"},
		{span(420 * ms), "420ms"}, {span(24 * time.Second), "24s"}, {span(150 * time.Second), "2m30s"}, {span(200 * time.Minute), "3h20m"}, {span(72 * time.Hour), "3d"},
		{clock(0), "00:00"}, {clock(102 * time.Second), "01:42"}, {clock(3723 * time.Second), "1:02:03"}, {clock(400 * time.Hour), "16d16h"}, {clock(-1), "00:00"},
		{trimmed(5), "5"}, {trimmed(16.432), "16.43"}, {trimmed(0.25), "0.25"}, {trimmed(123.4), "123"}, {trimmed(math.Inf(1)), none},
		{plural(1, "replica"), "1 replica"}, {plural(2, "replica"), "2 replicas"},
		{axisNumber(0), "0"}, {axisNumber(37.5), "37.5"}, {axisNumber(112.5), "112.5"}, {axisNumber(0.025), "0.025"}, {axisNumber(1500), "1500"}, {axisNumber(15000), "15.0k"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestCutMiddleKeepsBothEnds(t *testing.T) {
	const url = "http://127.0.0.1:8000/load/100000"
	for _, test := range []struct {
		w    int
		want string
	}{{33, url}, {20, "http://127…ad/100000"}, {8, "http…000"}, {5, "http…"}, {0, ""}} {
		if got := cutMiddle(url, test.w); got != test.want {
			t.Errorf("cutMiddle(%d) = %q, want %q", test.w, got, test.want)
		}
	}
}

func TestTextFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := clean(texts.Draw(t, "text")), rapid.IntRange(0, 60).Draw(t, "width")
		if strings.ContainsAny(s, "\x1b\n\r\t\x00\x7f") {
			t.Errorf("clean left a control character in %q", s)
		}
		if got := ansi.StringWidth(fit(s, w)); got != w {
			t.Errorf("fit(%q, %d) is %d wide", s, w, got)
		}
		if got := ansi.StringWidth(cutMiddle(s, w)); got > w {
			t.Errorf("cutMiddle(%q, %d) is %d wide", s, w, got)
		}
		if w >= 2 { // a character may be two cells wide
			for _, line := range wrap(s, w) {
				if got := ansi.StringWidth(line); got > w {
					t.Errorf("wrap(%q, %d) has a line %d wide", s, w, got)
				}
			}
		}
	})
}

// What is counted here is what the library counts, whatever follows what.
func TestWidthIsThatOfTheLibrary(t *testing.T) {
	pieces := rapid.OneOf(texts, rapid.SampledFrom([]string{"plain", "│─╮╭╌┈╿", "·", "…", "\x1b[1;38;5;245m", "\x1b[m", "\x1b[0", "\x1b[2K", "\x1b", "\u0301", "\ufe0f", "\u200d"}))
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(pieces, 0, 6).Draw(t, "pieces"), "")
		if got, want := width(s), ansi.StringWidth(s); got != want {
			t.Errorf("width(%q) = %d, want %d", s, got, want)
		}
	})
}

func TestPartsGiveWayByRank(t *testing.T) {
	parts := []part{{"one", 0}, {"two", 2}, {"", 0}, {"three", 1}}
	for _, test := range []struct {
		w    int
		want string
	}{{20, "one two three"}, {13, "one two three"}, {12, "one three"}, {8, "one"}, {2, "o…"}} {
		if got := join(parts, " ", test.w); got != test.want {
			t.Errorf("join in %d cells = %q, want %q", test.w, got, test.want)
		}
	}
}

func TestTableDropsColumnsByRank(t *testing.T) {
	tab := table{
		columns: []column{{title: "name", width: 6, left: true, grows: true}, {title: "a", width: 4, rank: 1}, {title: "b", width: 8, rank: 2}, {title: "c", width: 3, rank: 3}},
		rows:    [][]cell{{text("a long name"), text("1"), text("2"), text("3")}},
	}
	for _, test := range []struct {
		w         int
		head, row string
	}{
		{40, "name            a         b    c", "a long name     1         2    3"},
		{25, "name          a         b", "a long n…     1         2"},
		{20, "name          a    c", "a long n…     1    3"},
		{7, "name", "a long…"},
	} {
		head, rows := tab.render(plainStyles(), test.w)
		if head != test.head && strings.TrimSpace(head) != strings.TrimSpace(test.head) || rows[0] != test.row {
			t.Errorf("in %d cells:\n%q\n%q\nwant\n%q\n%q", test.w, head, rows[0], test.head, test.row)
		}
	}
}

// What does not fit goes on below the last column.
func TestTableWraps(t *testing.T) {
	tab := table{
		columns: []column{{title: "n", width: 3}, {title: "why", width: 8, left: true, grows: true, wraps: true}},
		rows:    [][]cell{{text("1"), text("some words here")}, {text("2"), text("short")}},
	}
	for _, test := range []struct {
		w    int
		want []string
	}{
		{30, []string{"  1  some words here", "  2  short"}},
		{15, []string{"  1  some words", "     here", "  2  short"}},
		{5, []string{"  1  some", "     words", "     here", "  2  short"}},
	} {
		if _, rows := tab.render(plainStyles(), test.w); !slices.Equal(rows, test.want) {
			t.Errorf("in %d cells: %q, want %q", test.w, rows, test.want)
		}
	}
}

func TestPageMoves(t *testing.T) {
	s := plainStyles()
	p := page{head: []string{"head"}, foot: []string{"foot"}}
	for _, r := range "abcdefghij" {
		p.rows = append(p.rows, string(r))
	}
	show := func(at scroll) string {
		lines := p.render(s, at, 7)
		return strings.Join(lines[1:5], "")
	}
	at := scroll{}
	if got := show(at); got != "abcd" {
		t.Errorf("at first %q, want the top", got)
	}
	at = p.move(at, 2, 7)
	if got := show(at); got != "cdef" {
		t.Errorf("two down %q", got)
	}
	if at = p.move(at, 100, 7); show(at) != "ghij" {
		t.Errorf("at the end %q", show(at))
	}
	if at = p.move(at, -100, 7); at != (scroll{}) {
		t.Errorf("back at the top it is %+v, want as at first", at)
	}
	p.tail = true
	if got := show(scroll{}); got != "ghij" {
		t.Errorf("a page whose end matters begins with %q", got)
	}
	if lines := p.render(s, at, 12); lines[11] != "foot" || len(lines) != 12 {
		t.Errorf("the foot is not at the bottom: %q", lines)
	}
	if lines := p.render(s, at, 1); len(lines) != 1 {
		t.Errorf("%d lines where one fits", len(lines))
	}
}
