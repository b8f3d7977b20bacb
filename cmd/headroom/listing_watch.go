package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

const listEvery = time.Second

// watchListing shows what render writes, again and again, until an interrupt or
// until there is nothing to show any more.
func (a *app) watchListing(render func(ctx context.Context, out io.Writer) error, s *screen) error {
	ctx := a.signals.stop
	tick := time.NewTicker(listEvery)
	defer tick.Stop()
	for seen := false; ; seen = true {
		var text bytes.Buffer
		switch err := render(ctx, &text); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && seen:
			return fmt.Errorf("the scaler does not answer any more: %w", err)
		case err != nil:
			return err
		}
		if err := s.show(text.String(), time.Now()); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
