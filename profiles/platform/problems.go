package platform

import (
	"fmt"

	"headroom/profiles/document"
)

// problems are what is wrong with the values of a document.
type problems []document.Problem

func (p *problems) bad(key, format string, args ...any) {
	*p = append(*p, document.Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}
