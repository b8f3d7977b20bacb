package scaler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// ErrPolicyChanged is the answer to a change that was meant for another policy
// than the one that is followed now.
var ErrPolicyChanged = errors.New("the policy has changed meanwhile: look at it again")

// policyStore changes the policy that the loop follows, one change after the
// other. Changes come over the API, and from two files: the policy file, which
// is kept in step with the API, and the ConfigMap file, whose settings go on top
// of it and hold as long as they stand there. A change that is refused changes
// nothing. It is safe for concurrent use.
type policyStore struct {
	loop *loop
	log  func(Event)
	lost string // why nothing can be saved, where there is no policyFile

	mu         sync.Mutex // guards the fields below, and is held until a change is saved
	policyFile *watched   // nil: none
	configMap  *watched   // nil: none
	followed   layers
	given      layers // the latest that could be read: what one file says may have to wait for the other
}

// layers are what a policy is made of.
type layers struct {
	base     profiles.Policy    // of the policy file and the API
	settings []profiles.Setting // of the ConfigMap
}

func (l layers) policy() (profiles.Policy, error) {
	if len(l.settings) == 0 {
		return l.base, nil
	}
	return l.base.With(l.settings...)
}

// Applied is what became of a change of the policy.
type Applied struct {
	Policy   profiles.Policy `json:"policy"`
	Warnings []string        `json:"warnings,omitempty"`
	Held     []string        `json:"held,omitempty"`       // what was to change, but the ConfigMap holds
	File     string          `json:"policyFile,omitempty"` // the policy file
	SavedTo  string          `json:"savedTo,omitempty"`    // it again, with which the next start goes on, where it could be written
	NotSaved string          `json:"notSaved,omitempty"`   // why it lasts only until the scaler ends
}

// newPolicyStore looks at the files of cfg, and returns the policy to begin
// with too: that of cfg with the settings of the ConfigMap on top.
func newPolicyStore(cfg Config) (*policyStore, profiles.Policy, error) {
	s := &policyStore{log: cfg.Log, lost: "there is no policy file", followed: layers{base: cfg.Policy}}
	var err error
	if cfg.PolicyFile != "" {
		if s.policyFile, err = watch(cfg.PolicyFile); err != nil {
			return nil, cfg.Policy, fmt.Errorf("--policy: %w", err)
		}
		s.lost = "the policy came from " + cfg.PolicyFile + ", which is no regular file"
	}
	p := cfg.Policy
	if cfg.ConfigMap != "" {
		if s.configMap, err = watch(cfg.ConfigMap); err != nil {
			return nil, cfg.Policy, fmt.Errorf("--configmap: %w", err)
		}
		text, err := os.ReadFile(cfg.ConfigMap)
		if err != nil {
			return nil, cfg.Policy, fmt.Errorf("--configmap: %w", err)
		}
		if s.followed.settings, err = profiles.ParseSettings(text); err == nil {
			if p, err = s.followed.policy(); err == nil {
				_, _, err = cfg.decider(p)
			}
		}
		if err != nil {
			return nil, cfg.Policy, prefixed("--configmap: "+cfg.ConfigMap, err)
		}
	}
	s.given = s.followed
	return s, p, nil
}

// prefixed is an error with the same beginning for each of its problems.
func prefixed(prefix string, err error) error {
	var errs []error
	for _, p := range document.Problems(err) {
		errs = append(errs, fmt.Errorf("%s: %w", prefix, p))
	}
	return errors.Join(errs...)
}

// change has the loop follow what edit makes of the present policy, and ends a
// pin where unpin says so. Where match is not empty, that policy must have one
// of its tags, as in If-Match; else it is ErrPolicyChanged.
func (s *policyStore) change(match string, unpin bool, edit func(present profiles.Policy) (profiles.Policy, error)) (Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	present := s.loop.state().policy
	if match != "" {
		switch tag, err := policyTag(present); {
		case err != nil:
			return Applied{}, err
		case !matches(match, tag):
			return Applied{}, ErrPolicyChanged
		}
	}
	wanted, err := edit(present)
	if err != nil {
		return Applied{}, err
	}
	next := layers{wanted, s.followed.settings}
	if len(next.settings) > 0 {
		// Only what was changed: what the ConfigMap says is not for the policy file.
		if next.base, err = wanted.Rebase(present, s.followed.base); err != nil {
			return Applied{}, err
		}
	}
	p, err := s.follow(next, "changed over the API", unpin)
	if err != nil {
		return Applied{}, err
	}
	s.given.base = next.base
	out := Applied{Policy: p, Warnings: p.Warnings()}
	for _, c := range profiles.Changes(wanted, p) {
		out.Held = append(out.Held, fmt.Sprintf("%s stays %s: %s holds it", c.Field, c.To, s.configMap.path))
	}
	if err := s.save(next.base); err != nil {
		out.NotSaved = err.Error()
		if s.policyFile != nil {
			out.File = s.policyFile.path
			s.tell(fmt.Sprintf("not saved to %s: %v", s.policyFile.path, err))
		}
		return out, nil
	}
	out.File, out.SavedTo = s.policyFile.path, s.policyFile.path
	return out, nil
}

// follow hands a policy to the loop and returns it. The one that is followed
// already keeps its history.
func (s *policyStore) follow(next layers, cause string, unpin bool) (profiles.Policy, error) {
	p, err := next.policy()
	if err != nil {
		return p, err
	}
	if profiles.Same(p, s.loop.state().policy) {
		if unpin {
			s.loop.unpin()
		}
		s.followed = next
		return p, nil
	}
	if err := s.loop.follow(p, cause, unpin); err != nil {
		return p, err
	}
	s.followed = next
	for _, w := range p.Warnings() {
		s.tell("warning: " + w)
	}
	return p, nil
}

func (s *policyStore) tell(text string) {
	s.log(Event{At: time.Now(), Kind: EventPolicy, Text: text})
}

// save writes a policy into the policy file.
func (s *policyStore) save(p profiles.Policy) error {
	w := s.policyFile
	if w == nil {
		return errors.New(s.lost)
	}
	path, err := filepath.EvalSymlinks(w.path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	before := see(path)
	switch {
	case before.failure != "":
		return errors.New(before.failure)
	case before != w.taken:
		return errors.New("it was edited at the same time, and that edit comes next")
	}
	// From what somebody wrote, not from what was made of that: a policy that
	// comes back leaves the file as it was.
	text, err := p.Rewrite([]byte(w.given))
	if err != nil {
		return err
	}
	if string(text) == before.text {
		return nil
	}
	if err = document.ReplaceBytes(path, info.Mode().Perm(), text); err == nil {
		w.wrote(text)
	}
	return err
}

// lookEvery is the time between two looks at the files.
const lookEvery = time.Second

// watch takes over what the files say, until ctx is done.
func (s *policyStore) watch(ctx context.Context) {
	for wait(ctx, lookEvery) {
		s.look()
	}
}

// look takes over what the files say now. What is wrong with a file changes
// nothing, and is said when one of them has changed.
func (s *policyStore) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []string
	take := func(w *watched, read func(text []byte) error) {
		if w == nil {
			return
		}
		found, ok := w.look()
		if !ok {
			return
		}
		err := errors.New(found.failure)
		if found.failure == "" {
			err = read([]byte(found.text))
		}
		if err != nil {
			s.refuse(w, err)
			return
		}
		changed = append(changed, w.path)
	}
	take(s.policyFile, func(text []byte) error {
		p, err := profiles.ParsePolicy(text)
		if err == nil {
			s.given.base = p
		}
		return err
	})
	take(s.configMap, func(text []byte) error {
		settings, err := profiles.ParseSettings(text)
		if err == nil {
			s.given.settings = settings
		}
		return err
	})
	switch len(changed) {
	case 1:
		s.takeOver(changed[0] + " has changed")
	case 2:
		s.takeOver(strings.Join(changed, " and ") + " have changed")
	}
}

// takeOver follows what both files say. Where that does not go together, one of
// them is followed with what held of the other, which comes into force when a
// later change makes it possible.
func (s *policyStore) takeOver(cause string) {
	try := func(l layers) error {
		_, err := s.follow(l, cause, false)
		return err
	}
	before := s.followed
	err := try(s.given)
	switch {
	case err == nil:
	case try(layers{s.given.base, before.settings}) == nil:
		s.refuse(s.configMap, err)
	case try(layers{before.base, s.given.settings}) == nil:
		s.refuse(s.policyFile, err)
	default:
		s.refuse(s.policyFile, err)
		s.refuse(s.configMap, err)
	}
}

// refuse says why a file is not followed.
func (s *policyStore) refuse(w *watched, err error) {
	var lines []string
	for _, p := range document.Problems(err) {
		lines = append(lines, p.Error())
	}
	s.tell(fmt.Sprintf("%s is not followed: %s", w.path, strings.Join(lines, "; ")))
}

// policyTag is the entity tag of a policy.
func policyTag(p profiles.Policy) (string, error) {
	data, err := json.Marshal(p)
	hash := sha256.Sum256(data)
	return `"` + hex.EncodeToString(hash[:8]) + `"`, err
}

// matches reports whether one of a list of entity tags, as If-Match has it, is
// that tag.
func matches(list, tag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == tag || part == "*" {
			return true
		}
	}
	return false
}
