// Package tui shows a session on a terminal: the start form before it, and a
// dashboard that follows its States and turns keys into calls of a
// Controller.
//
// Everything on the screen comes from the newest advisor.State; there are no
// figures of its own, no clock and no animation. An unchanged State renders
// nothing, and a slow terminal only makes States be skipped.
//
// It refuses to decide anything: what a key may do at the moment is for the
// Controller to say, and its error is shown. It reads and writes no files
// (Options has functions that do), handles no signals (the caller ends the
// context), never captures the mouse, and lets nothing but colours and
// attributes of its own, a question for the background and a policy for the
// clipboard through to the terminal, whatever a target names its replicas.
//
// Run blocks. Bubble Tea owns the goroutines: one for the keys, one for the
// frames, one that waits for the next State, and one for the call of the
// Controller under way, never more than one. The one that waits ends with
// Run; a call that hangs in the Controller outlives it.
package tui
