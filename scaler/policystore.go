package scaler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
// other; the last one holds. Changes come over the API, and from two files:
// the policy file, which says all of it and is kept in step, and the ConfigMap
// file, whose settings go on top of it. A change that is refused changes
// nothing. It is safe for concurrent use.
type policyStore struct {
	loop *loop
	log  func(Event)

	mu         sync.Mutex // guards the fields below, and is held until a change is saved
	policyFile *watched   // nil: none
	configMap  *watched   // nil: none
	settings   []profiles.Setting
}

// Applied is what became of a change of the policy.
type Applied struct {
	Policy   profiles.Policy `json:"policy"`
	Warnings []string        `json:"warnings,omitempty"`
	SavedTo  string          `json:"savedTo,omitempty"`  // the policy file, with which the next start goes on
	NotSaved string          `json:"notSaved,omitempty"` // why it lasts only until the scaler ends
}

// newPolicyStore looks at the files of cfg, and returns the policy to begin
// with too: that of cfg with the settings of the ConfigMap on top.
func newPolicyStore(cfg Config) (*policyStore, profiles.Policy, error) {
	s := &policyStore{log: cfg.Log}
	var err error
	if cfg.PolicyFile != "" {
		if s.policyFile, err = watch(cfg.PolicyFile); err != nil {
			return nil, cfg.Policy, fmt.Errorf("--policy: %w", err)
		}
	}
	if cfg.ConfigMap == "" {
		return s, cfg.Policy, nil
	}
	if s.configMap, err = watch(cfg.ConfigMap); err != nil {
		return nil, cfg.Policy, fmt.Errorf("--configmap: %w", err)
	}
	text, err := os.ReadFile(cfg.ConfigMap)
	if err != nil {
		return nil, cfg.Policy, fmt.Errorf("--configmap: %w", err)
	}
	p := cfg.Policy
	if s.settings, err = profiles.ParseSettings(text); err == nil {
		if p, err = p.With(s.settings...); err == nil {
			_, _, err = cfg.decider(p)
		}
	}
	if err != nil {
		return nil, cfg.Policy, prefixed("--configmap: "+cfg.ConfigMap, err)
	}
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

// change has the loop follow what edit makes of the present policy. Where match
// is not empty, that policy must have one of its tags, as in If-Match; else it
// is ErrPolicyChanged.
func (s *policyStore) change(now time.Time, match string, edit func(present profiles.Policy) (profiles.Policy, error)) (Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	present := s.loop.state().policy
	if match != "" && !matches(match, policyTag(present)) {
		return Applied{}, ErrPolicyChanged
	}
	p, err := edit(present)
	if err == nil {
		err = s.follow(now, "changed over the API", present, p)
	}
	if err != nil {
		return Applied{}, err
	}
	out := Applied{Policy: p, Warnings: p.Warnings()}
	if err := s.save(p); err != nil {
		out.NotSaved = err.Error()
		if s.policyFile != nil {
			s.log(Event{At: now, Kind: EventPolicy, Text: fmt.Sprintf("not saved to %s: %v", s.policyFile.path, err)})
		}
		return out, nil
	}
	out.SavedTo = s.policyFile.path
	return out, nil
}

// follow hands a policy to the loop, unless it is the present one: that keeps
// its history.
func (s *policyStore) follow(now time.Time, cause string, present, p profiles.Policy) error {
	if policyTag(p) == policyTag(present) {
		return nil
	}
	if err := s.loop.follow(now, p, cause); err != nil {
		return err
	}
	for _, w := range p.Warnings() {
		s.log(Event{At: now, Kind: EventPolicy, Text: "warning: " + w})
	}
	return nil
}

// save writes a policy into the policy file.
func (s *policyStore) save(p profiles.Policy) error {
	w := s.policyFile
	if w == nil {
		return errors.New("there is no policy file")
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
	text, err := p.Rewrite([]byte(before.text))
	if err != nil {
		return err
	}
	if string(text) == before.text {
		return nil
	}
	err = document.Replace(path, info.Mode().Perm(), func(out io.Writer) error {
		_, err := out.Write(text)
		return err
	})
	if err == nil {
		w.wrote(text)
	}
	return err
}

// lookEvery is the time between two looks at the files.
const lookEvery = time.Second

// watch takes over what the files say, until ctx is done.
func (s *policyStore) watch(ctx context.Context) {
	for wait(ctx, lookEvery) {
		s.look(time.Now())
	}
}

// look takes over what the files say now. What is wrong with a file is said
// once, and changes nothing.
func (s *policyStore) look(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	present := s.loop.state().policy
	if w := s.configMap; w != nil {
		if found, changed := w.look(); changed {
			s.take(now, w.path, found, func(text []byte) error {
				settings, err := profiles.ParseSettings(text)
				if err != nil {
					return err
				}
				p, err := present.With(settings...)
				if err == nil {
					err = s.follow(now, w.path+" has changed", present, p)
				}
				if err == nil {
					s.settings, present = settings, p
				}
				return err
			})
		}
	}
	if w := s.policyFile; w != nil {
		if found, changed := w.look(); changed {
			s.take(now, w.path, found, func(text []byte) error {
				p, err := profiles.ParsePolicy(text)
				if err == nil {
					p, err = p.With(s.settings...)
				}
				if err != nil {
					return err
				}
				return s.follow(now, w.path+" has changed", present, p)
			})
		}
	}
}

// take applies what was found in a file.
func (s *policyStore) take(now time.Time, path string, found sight, apply func(text []byte) error) {
	err := errors.New(found.failure)
	if found.failure == "" {
		err = apply([]byte(found.text))
	}
	if err == nil {
		return
	}
	var lines []string
	for _, p := range document.Problems(err) {
		lines = append(lines, p.Error())
	}
	s.log(Event{At: now, Kind: EventPolicy, Text: fmt.Sprintf("%s is not followed: %s", path, strings.Join(lines, "; "))})
}

// policyTag is the entity tag of a policy.
func policyTag(p profiles.Policy) string {
	data, _ := json.Marshal(p) // what was read from a file or a request encodes
	hash := sha256.Sum256(data)
	return `"` + hex.EncodeToString(hash[:8]) + `"`
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
