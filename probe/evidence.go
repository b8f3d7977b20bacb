package probe

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Sureness is how sure it is that a source names the replica.
type Sureness string

// How sure a source is. What was given is not judged.
const (
	Sure   Sureness = "sure"   // its values come back, and its name says what they are
	Likely Sureness = "likely" // one of the two is missing
)

// learnOver is how many good answers are looked at to find where names stand.
// A source with a well-known name is used from the first on, others only when
// they have shown what they do.
const (
	learnOver   = 256
	learnAtMost = 100 // places
)

// wellKnown are the places where services, balancers and platforms put the
// name of a replica, the most telling first. A place that the service itself
// writes comes before one that a proxy in front may have written.
var wellKnown = []Place{
	{JSONField, "hostname"},
	{JSONField, "pod_name"},
	{JSONField, "podName"},
	{JSONField, "replica"},
	{JSONField, "replica_id"},
	{JSONField, "instance_id"},
	{JSONField, "worker_id"},
	{JSONField, "pid"},
	{Header, "X-Pod-Name"},
	{Header, "X-Replica-Id"},
	{Header, "X-Served-By"},
	{Header, "X-Hostname"},
	{Header, "X-Instance-Id"},
	{Header, "X-Backend-Server"},
	{Text, "Hostname: *"}, // traefik/whoami
}

// telling are words in the name of a place that say that it names a machine.
var telling = []string{"host", "pod", "replica", "instance", "worker", "node", "backend", "container", "machine", "served", "dyno", "alloc", "task-id", "taskid", "pid", "upstream-addr", "server-id", "serverid"}

// dull are headers that name no replica, whatever they do. Those that a name
// begins with end with a dash.
var dull = []string{
	"age", "alt-svc", "cache-", "cf-cache-status", "connection", "content-", "date", "etag", "expires", "keep-alive",
	"last-modified", "server", "server-timing", "set-cookie", "strict-transport-security", "traceparent", "transfer-encoding",
	"vary", "via", "x-cache", "x-cache-hits", "x-envoy-upstream-service-time", "x-powered-by", "x-process-time", "x-ratelimit-",
	"x-request-id", "x-response-time", "x-runtime",
}

// evidence is what answers show of the places that may name a replica. It is
// not safe for concurrent use.
type evidence struct {
	answers int
	until   int    // so many answers are looked at
	only    *Place // nothing else is looked at any more; nil: everything is
	tasks   map[int]struct{}
	places  map[Place]*candidate
}

// candidate is a place with what stood there.
type candidate struct {
	place   Place
	answers int
	returns int // a value came back after another
	last    string
	values  map[string]*seenValue
	conns   map[int64]string // the first value of each connection
	mixed   bool             // a connection had another one later
}

type seenValue struct {
	task      int // of the first
	manyTasks bool
}

func newEvidence() *evidence {
	return &evidence{until: learnOver, tasks: map[int]struct{}{}, places: map[Place]*candidate{}}
}

// about is what the evidence says of one place, to be added to.
func (e *evidence) about(p Place) *evidence {
	out := *e
	out.only, out.places = &p, map[Place]*candidate{p: e.places[p]}
	return &out
}

// add takes a good answer into account.
func (e *evidence) add(a *Answer) {
	e.answers++
	e.tasks[a.Task] = struct{}{}
	if e.only != nil {
		if value := e.only.value(a); len(value) > 0 {
			e.note(*e.only, string(value), a)
		}
		return
	}
	taken := map[Place]bool{}
	note := func(p Place, value []byte) {
		if len(value) > 0 && !taken[p] {
			taken[p] = true
			e.note(p, string(value), a)
		}
	}
	body := a.Body[:min(len(a.Body), MostBody)]
	for _, p := range wellKnown {
		note(p, p.value(a))
	}
	eachLeaf(body, func(path string, value []byte) {
		p := Place{JSONField, path}
		key := path[strings.LastIndexByte(path, '.')+1:]
		if short := (Place{JSONField, key}); string(short.value(a)) == string(value) {
			p = short // the place that costs less to look up
		}
		if _, err := ParseSource(p.String()); err == nil {
			note(p, value)
		}
	})
	for head := a.Head; len(head) > 0; {
		var name, value []byte
		name, value, head = nextHeader(head)
		field := string(name)
		switch {
		case strings.EqualFold(field, "Set-Cookie"):
			if key, _, ok := strings.Cut(string(value), "="); ok {
				p := Place{Cookie, strings.TrimSpace(key)}
				note(p, p.value(a))
			}
		case field != "" && !isDull(field):
			i := slices.IndexFunc(wellKnown, func(p Place) bool { return p.Kind == Header && strings.EqualFold(p.Field, field) })
			if i < 0 {
				note(Place{Header, field}, value)
			}
		}
	}
}

func isDull(header string) bool {
	header = strings.ToLower(header)
	return slices.ContainsFunc(dull, func(d string) bool {
		return header == d || strings.HasSuffix(d, "-") && strings.HasPrefix(header, d)
	})
}

func (e *evidence) note(p Place, value string, a *Answer) {
	c := e.places[p]
	if c == nil {
		if len(e.places) >= learnAtMost {
			return
		}
		c = &candidate{place: p, values: map[string]*seenValue{}, conns: map[int64]string{}}
		e.places[p] = c
	}
	c.answers++
	v := c.values[value]
	if v == nil {
		v = &seenValue{task: a.Task}
		c.values[value] = v
	} else if value != c.last {
		c.returns++
	}
	v.manyTasks = v.manyTasks || v.task != a.Task
	if first, ok := c.conns[a.Conn]; !ok {
		c.conns[a.Conn] = value
	} else if first != value {
		c.mixed = true
	}
	c.last = value
}

// finding is what the evidence comes to.
type finding struct {
	place Place
	sure  Sureness
	why   string
}

// best is the place that names the replica, as far as the answers show. Where
// there is none, why says what speaks against the most promising.
func (e *evidence) best(except map[Place]bool) (f finding, ok bool) {
	type ranked struct {
		finding
		telling       bool
		rank, returns int
	}
	var good []ranked
	against := ""
	for _, c := range e.inOrder() {
		if except[c.place] {
			continue
		}
		sure, why, ok := e.judge(c)
		if !ok {
			if against == "" && (isKnown(c.place) || tells(c.place)) {
				against = fmt.Sprintf("%s is no name: %s", c.place, why)
			}
			continue
		}
		good = append(good, ranked{finding{c.place, sure, why}, tells(c.place), rank(c.place), c.returns})
	}
	if len(good) == 0 {
		if against == "" {
			against = "nothing in the answers looks like the name of a replica"
		}
		return finding{why: against}, false
	}
	first := slices.MinFunc(good, func(a, b ranked) int {
		return cmp.Or(
			cmp.Compare(a.rank, b.rank),
			compareBool(b.telling, a.telling),
			compareBool(b.sure == Sure, a.sure == Sure),
			cmp.Compare(b.returns, a.returns),
			strings.Compare(a.place.String(), b.place.String()),
		)
	})
	return first.finding, true
}

// again judges the one place that is looked at. What speaks against it comes too
// late to take its names away.
func (e *evidence) again() (sure Sureness, why string) {
	sure, why, ok := e.judge(e.places[*e.only])
	if !ok {
		return Likely, "it was found in the first answers; since then: " + why
	}
	return sure, why
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// inOrder is all candidates, the well-known ones first.
func (e *evidence) inOrder() []*candidate {
	var all []*candidate
	for _, c := range e.places {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(rank(a.place), rank(b.place)), strings.Compare(a.place.String(), b.place.String()))
	})
	return all
}

// rank is where a place stands among the well-known ones, behind all of them
// where it is none.
func rank(p Place) int {
	if i := slices.Index(wellKnown, p); i >= 0 {
		return i
	}
	return len(wellKnown)
}

func isKnown(p Place) bool { return rank(p) < len(wellKnown) }

// judge says whether a place names the replica, and why.
func (e *evidence) judge(c *candidate) (sure Sureness, why string, ok bool) {
	known := isKnown(c.place)
	named := known || tells(c.place)
	distinct := len(c.values)
	few := 8 // answers, in which one cannot see what repeats
	if known {
		few = 64 // it is used from the first on, and not given up for what may be chance
	}
	switch {
	case !known && 10*c.answers < 9*e.answers:
		return "", fmt.Sprintf("%d of %d answers have none", e.answers-c.answers, e.answers), false
	case c.answers < few && known:
		return Likely, "a place where replicas name themselves, known from few answers", true
	case c.answers < few:
		return "", fmt.Sprintf("%s are too few to tell", plural(c.answers, "answer")), false
	case 2*distinct > c.answers:
		return "", fmt.Sprintf("%s in %d answers: as request ids and times do", plural(distinct, "value"), c.answers), false
	case distinct == 1 && known:
		return Likely, fmt.Sprintf("a place where replicas name themselves; the same in all %d answers: one replica, or one connection to it", c.answers), true
	case distinct == 1 && named && c.machines():
		return Likely, fmt.Sprintf("the same in all %d answers, and named as replicas are: one replica, or one connection to it", c.answers), true
	case distinct == 1:
		return "", "the same in all answers", false
	case e.perTask(c):
		return "", "it follows from what was asked for", false
	case c.returns < distinct && !c.perConn() && (!known || distinct >= 8):
		return "", "its values go by and do not come back, as a clock's or a counter's", false
	case !known && c.perConn() && distinct == len(c.conns) && distinct >= 4:
		return "", "each connection has its own, as a session has", false
	}
	seen := fmt.Sprintf("%d values in %d answers, which come back", distinct, c.answers)
	if c.perConn() && len(c.conns) < c.answers { // with an answer a connection, it goes without saying
		seen += ", each connection with one of them"
	}
	switch {
	case named:
		return Sure, seen, true
	case c.machines():
		return Likely, seen + " and look like those of machines", true
	}
	return "", "its values come back, but neither they nor its name say that they are machines", false
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// perConn reports whether each of several connections had one value.
func (c *candidate) perConn() bool { return !c.mixed && len(c.conns) >= len(c.values) }

// perTask reports whether each value belongs to one of several tasks.
func (e *evidence) perTask(c *candidate) bool {
	if len(e.tasks) < 2 {
		return false
	}
	for _, v := range c.values {
		if v.manyTasks {
			return false
		}
	}
	return true
}

// tells reports whether the name of a place says that it names a machine.
func tells(p Place) bool {
	name := strings.ToLower(p.Field)
	return slices.ContainsFunc(telling, func(word string) bool { return strings.Contains(name, word) })
}

// machines reports whether all values look like names of machines: addresses,
// container ids, or words that differ in what follows a common beginning.
func (c *candidate) machines() bool {
	common, first := "", true
	for v := range c.values {
		if first {
			common, first = v, false
		}
		for !strings.HasPrefix(v, common) {
			common = common[:len(common)-1]
		}
	}
	if len(c.values) == 1 { // what it has in common with others is not known
		common = common[:strings.LastIndexAny(common, "-_.")+1]
	}
	joint := strings.LastIndexAny(common, "-_.") >= 2
	for v := range c.values {
		_, addr := netip.ParseAddr(v)
		_, port := netip.ParseAddrPort(v)
		numbered := joint && strings.ContainsAny(v[len(common):], "0123456789bcdfghjklmnpqrstvwxz")
		if addr != nil && port != nil && !numbered && !containerID(v) {
			return false
		}
	}
	return true
}

// containerID reports whether a name is one that Docker gives: 12 or 64
// hexadecimal digits.
func containerID(s string) bool {
	return (len(s) == 12 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
