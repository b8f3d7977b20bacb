package probe

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

// Unknown is the replica of an answer that names none.
const Unknown int32 = -1

// maxReplicas is how many replicas are told apart; names that come later
// share one entry.
const maxReplicas = 256

// Others is the name of the entry that names beyond the first 256 share.
const Others = "others"

// wellKnown are the places where services, balancers and platforms put the
// name of a replica, the most telling first. A source that the service itself
// writes comes before one that a proxy in front may have written.
var wellKnown = []Source{
	{JSONField, "hostname"},
	{JSONField, "pod_name"},
	{JSONField, "podName"},
	{JSONField, "replica"},
	{JSONField, "replica_id"},
	{JSONField, "instance_id"},
	{JSONField, "worker_id"},
	{Header, "X-Pod-Name"},
	{Header, "X-Replica-Id"},
	{Header, "X-Served-By"},
	{Header, "X-Hostname"},
	{Header, "X-Instance-Id"},
	{Header, "X-Backend-Server"},
}

// Identifier names the replica behind each answer. Without a Source it takes
// the first well-known one that an answer carries. It is safe for concurrent
// use; naming a replica that is already known takes no lock and allocates
// nothing.
type Identifier struct {
	source atomic.Pointer[Source]
	given  bool
	names  atomic.Pointer[nameTable]

	mu sync.Mutex // serialises writers of the two pointers above
}

// nameTable is never changed once it is published.
type nameTable struct {
	index map[string]int32
	list  []string
}

// NewIdentifier returns an identifier that looks at source, or that finds one
// by itself when source is nil.
func NewIdentifier(source *Source) *Identifier {
	i := &Identifier{given: source != nil}
	i.source.Store(source)
	i.names.Store(&nameTable{index: map[string]int32{}})
	return i
}

// Identify returns the number of the replica that gave an answer with this
// status, head (status line and headers) and beginning of a body, or Unknown.
// Numbers count from 0 in the order of first appearance. It learns where the
// names stand from good answers only: the page of an error may come from a
// proxy in front.
func (i *Identifier) Identify(status int, head, body []byte) int32 {
	source := i.source.Load()
	if source == nil {
		if status >= 400 {
			return Unknown
		}
		if source = i.find(head, body); source == nil {
			return Unknown
		}
	}
	name := source.value(head, body)
	if len(name) == 0 {
		return Unknown
	}
	if n, ok := i.names.Load().index[string(name)]; ok {
		return n
	}
	return i.add(string(name))
}

// Names returns the names of all replicas seen, by number. The slice must not
// be changed.
func (i *Identifier) Names() []string { return i.names.Load().list }

// Source returns where the names come from, and whether it was given rather
// than found; ok is false while nothing was found.
func (i *Identifier) Source() (s Source, given, ok bool) {
	if p := i.source.Load(); p != nil {
		return *p, i.given, true
	}
	return Source{}, false, false
}

func (i *Identifier) find(head, body []byte) *Source {
	for n := range wellKnown {
		if len(wellKnown[n].value(head, body)) == 0 {
			continue
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.source.Load() == nil {
			i.source.Store(&wellKnown[n])
		}
		return i.source.Load()
	}
	return nil
}

func (i *Identifier) add(name string) int32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	old := i.names.Load()
	if n, ok := old.index[name]; ok {
		return n
	}
	if len(old.list) >= maxReplicas {
		return int32(len(old.list) - 1)
	}
	if len(old.list) == maxReplicas-1 {
		name = Others
	}
	next := &nameTable{index: maps.Clone(old.index), list: append(old.list[:len(old.list):len(old.list)], printable(name))}
	next.index[name] = int32(len(old.list))
	i.names.Store(next)
	return next.index[name]
}

// longestName is how much of a name is shown.
const longestName = 80

// printable is a name as a terminal may show it: it comes from the target, and
// must not be able to steer what it is printed on.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
	if r := []rune(name); len(r) > longestName {
		return string(r[:longestName-1]) + "…"
	}
	return name
}
