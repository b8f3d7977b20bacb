// Package hush keeps Bubble Tea from asking the terminal for its background
// while the program is loaded: every command would do it, one that only prints
// its version too, and wait up to 5 s on a terminal that never answers, such as
// one without anybody behind it in CI. What Bubble Tea asks then, in an init
// function, it does not ask a terminal that is dumb.
//
// Go initialises packages by import path, each as soon as all that it imports
// is. This one imports nothing but os, and Bubble Tea also os/signal, which has
// the later path and waits for os too: so this one is first.
package hush

import "os"

var term, known = os.LookupEnv("TERM")

func init() { os.Setenv("TERM", "dumb") }

// End restores the environment. It is for the init function of a package that
// imports Bubble Tea: that comes later, and before anything looks at TERM.
func End() {
	if known {
		os.Setenv("TERM", term)
	} else {
		os.Unsetenv("TERM")
	}
}
