package profiles

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// OneOf is the error of a value that is none of the names; it asks for the
// nearest of them where that may have been meant.
func OneOf[T, N ~string](got T, names []N) error {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	text := fmt.Sprintf("got %q, want one of %s", got, strings.Join(list, ", "))
	if near, ok := Nearest(string(got), list); ok {
		text += ": did you mean " + near + "?"
	}
	return errors.New(text)
}

// Nearest is the name that may have been meant: the one that the fewest letters
// make of it, up to two or one in three of them but no more than half, or the only
// one that it begins. ok is false where there is none.
func Nearest(got string, names []string) (near string, ok bool) {
	got = strings.ToLower(got)
	least := min(max(2, len(got)/3), len(got)/2)
	begun := ""
	begins := 0
	for _, name := range names {
		lower := strings.ToLower(name)
		if far := levenshtein.Distance(got, lower, nil); far < least || far == least && !ok {
			near, ok, least = name, true, far
		}
		if len(got) > 1 && strings.HasPrefix(lower, got) {
			begun = name
			begins++
		}
	}
	if begins == 1 {
		return begun, true
	}
	return near, ok
}
