package remote

import (
	"sync"

	"headroom/advisor"
)

// board shows the newest State to any number of readers, none of which it
// waits for. It is safe for concurrent use.
type board struct {
	mu     sync.Mutex // guards the fields below
	newest advisor.State
	shown  bool          // there has been one
	more   chan struct{} // closed when there is a newer one
}

func newBoard() *board { return &board{more: make(chan struct{})} }

func (b *board) put(st advisor.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.newest, b.shown = st, true
	close(b.more)
	b.more = make(chan struct{})
}

// look returns the newest State, if there is one, and what is closed when
// there is a newer one.
func (b *board) look() (st advisor.State, ok bool, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.newest, b.shown, b.more
}
