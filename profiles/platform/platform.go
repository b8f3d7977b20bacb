package platform

import (
	"errors"
	"fmt"
	"strings"

	"headroom/profiles"
	"headroom/profiles/document"
)

// Platform is one format. Its methods are safe for concurrent use.
type Platform struct {
	Name  string
	Title string // one line for listings
	File  string // what the file is usually called

	// begin is a new document, with the names that the options give.
	begin func(*writer) string
	// write puts the policy into a document of this platform and leaves alone
	// what has nothing to do with it. The writer takes what it refuses; the
	// error is for documents that it cannot change.
	write func(w *writer, base []byte) ([]byte, error)
	// read takes the settings from a document. Keys that have nothing to do
	// with scaling are not looked at.
	read func(text []byte) (settings, error)
	// recognise reports whether a document is one of this platform.
	recognise func(text []byte) bool
}

// settings are what a document says about scaling, in the platform's terms.
type settings interface {
	// policy is what the platform will do, in our words, and what of it our
	// words cannot say. What the platform keeps to itself is as in
	// profiles.DefaultPolicy.
	policy() (profiles.Policy, []Loss)
	// decider decides as the platform does.
	decider() (profiles.Decider, error)
}

// Options adjust an export.
type Options struct {
	Base   []byte // a document to change; nil: that of the policy's own section, or a new one
	Round  bool   // round a target down to what the platform can say; reported as a loss
	Strict bool   // refuse placeholders

	// Names that a policy does not know. Placeholders stand for empty ones.
	Name       string // of the workload
	Namespace  string
	Image      string
	Prometheus string // address
	Query      string // that yields the requests per second
}

// Loss is a value that differs on the other side.
type Loss struct {
	Field    string // of the policy
	From, To string // To is empty where it is not known
	Reason   string
	Severe   bool // it changes how many replicas there are, not only when
}

// String is the loss in one line.
func (l Loss) String() string { return l.Change() + ": " + l.Reason }

// Change is the loss without its reason.
func (l Loss) Change() string {
	switch {
	case l.To != "":
		return l.Field + " " + l.From + " becomes " + l.To
	case l.From != "":
		return l.Field + " " + l.From + " is not kept"
	}
	return l.Field
}

// Document is an exported configuration.
type Document struct {
	Text         []byte
	Effective    profiles.Policy // what the platform will do, read back from Text
	Losses       []Loss          // where that differs from the policy
	Notes        []string        // what to know about it
	Placeholders []string        // flags whose values were made up
}

// Export puts a policy into a platform's terms. The error lists everything
// that the platform cannot say.
func (pl Platform) Export(p profiles.Policy, o Options) (Document, error) {
	if err := p.Validate(); err != nil {
		return Document{}, err
	}
	w := &writer{policy: p, options: o}
	if pl.Name != Own {
		w.policy.Schedules = fromTo(p.Schedules)
	}
	base, err := pl.base(w)
	if err != nil {
		return Document{}, err
	}
	text, err := pl.write(w, base)
	if err == nil {
		err = w.refused()
	}
	if err != nil {
		return Document{}, pl.explain(err)
	}
	back, err := pl.read(text)
	if err != nil {
		return Document{}, pl.explain(fmt.Errorf("what was written cannot be read: %w", err))
	}
	effective, _ := back.policy()
	return Document{
		Text: text, Effective: effective, Losses: w.losses(effective), Notes: w.notes, Placeholders: w.placeholders,
	}, nil
}

// base is the document that an export begins with.
func (pl Platform) base(w *writer) ([]byte, error) {
	if w.options.Base != nil {
		return w.options.Base, nil
	}
	section, ok := w.policy.Platforms[pl.Name]
	if !ok {
		return []byte(pl.begin(w)), nil
	}
	text, ok := section.(string)
	if !ok {
		return nil, document.Problem{Key: "platforms." + pl.Name, Text: fmt.Sprintf("got %T, want the text of a document", section)}
	}
	return []byte(text), nil
}

// Import reads a platform's document as a policy, which keeps the document in
// its section of that platform: an export to it changes only what the policy
// says. Losses are what of the document the policy cannot say.
func (pl Platform) Import(text []byte) (profiles.Policy, []Loss, error) {
	s, err := pl.read(text)
	if err != nil {
		return profiles.Policy{}, nil, pl.explain(err)
	}
	p, losses := s.policy()
	if err := p.Validate(); err != nil {
		return profiles.Policy{}, nil, pl.explain(err)
	}
	if pl.Name != Own {
		p.Platforms = map[string]any{pl.Name: string(text)}
	}
	return p, losses, nil
}

// Decider decides about a policy as the platform would after an export.
func (pl Platform) Decider(p profiles.Policy, o Options) (profiles.Decider, error) {
	doc, err := pl.Export(p, o)
	if err != nil {
		return nil, err
	}
	s, err := pl.read(doc.Text)
	if err != nil {
		return nil, pl.explain(err)
	}
	return s.decider()
}

// explain says whose problems an error lists.
func (pl Platform) explain(err error) error {
	problems := document.Problems(err)
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = fmt.Errorf("%s: %w", pl.Name, p)
	}
	return errors.Join(errs...)
}

// Names are the names of All.
func Names() []string {
	var out []string
	for _, p := range All() {
		out = append(out, p.Name)
	}
	return out
}

// Find returns the platform of that name.
func Find(name string) (Platform, error) {
	for _, p := range All() {
		if p.Name == name {
			return p, nil
		}
	}
	return Platform{}, profiles.OneOf(name, Names())
}

// Recognise finds out whose document a text is.
func Recognise(text []byte) (Platform, error) {
	for _, p := range All() {
		if p.recognise(text) {
			return p, nil
		}
	}
	return Platform{}, fmt.Errorf("the file is none of %s: --from says which it is", strings.Join(Names(), ", "))
}
