package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Watch is what there is to see of a target at one moment. It is a value.
type Watch struct {
	At          time.Time
	Target      string
	Rate        float64 // requests per second that are sent
	Load        load.Snapshot
	Name        probe.Statement // what DNS says of the target's name, where it has one
	Workers     probe.Statement // what a list of its workers says, where one is asked
	Replicas    []probe.Replica // in the order in which they are shown
	Unseen      probe.Unseen
	Quiet, Gone int64          // answers after which a replica counts as that; 0: nothing is known of that
	Down        time.Time      // since when every request fails; zero: some succeed
	Problem     string         // why the latest failure failed
	Changes     []probe.Change // the latest ones, oldest first
	Notices     []probe.Notice
}

// WatchedLately is how far back the times that a watch shows go: who watches for
// an hour wants those of now.
const WatchedLately = time.Minute

// WriteWatch draws a watch on a screen of so many columns and lines. Where that
// is small, what changed last and the replicas that it is about come before what
// there is to know besides.
func WriteWatch(w io.Writer, s Watch, width, height int) error {
	const (
		leastRows = 4 // with the head of the table
		leastTold = 3
	)
	width = max(width, 1)
	head := lines(width, func(p *paper) { p.watched(s, servedLately(s.Load)) })
	notes := lines(width, func(p *paper) { p.watchNotes(s) })
	told := lines(width, func(p *paper) { p.changes(s.Changes) })
	head = head[:min(len(head), max(1, height/3))]
	room := height - len(head)
	take := func(want int) int { // lines, and an empty one before them
		n := max(0, min(want, room-1))
		if n > 0 {
			room -= n + 1
		}
		return n
	}
	latest := lines(width, func(p *paper) { p.changes(s.Changes[max(0, len(s.Changes)-1):]) })
	newest := take(min(len(told), max(len(latest), min(leastTold, room/3))))
	caption := lines(width, func(p *paper) { p.watchedCaption(s) })
	rows := take(min(1+len(s.Replicas), leastRows) + len(caption))
	if rows -= len(caption); rows < 2 {
		rows, caption = rows+len(caption), nil
	}
	notes = notes[:take(len(notes))]
	if rows > 0 {
		more := min(1+len(s.Replicas)-rows, room)
		rows, room = rows+more, room-more
	}
	if newest > 0 {
		newest = min(len(told), newest+room)
	}
	table := append(lines(width, func(p *paper) { p.watchedReplicas(s, rows) }), caption...)
	var parts []string
	for _, part := range [][]string{head, table, notes, told[len(told)-newest:]} {
		if len(part) > 0 {
			parts = append(parts, strings.Join(part, "\n")+"\n")
		}
	}
	_, err := io.WriteString(w, strings.Join(parts, "\n"))
	return err
}

// WriteWatchSummary writes what a watch has seen, in lines of so many columns;
// of 0 nothing is cut or wrapped.
func WriteWatchSummary(w io.Writer, s Watch, width int) error {
	p := &paper{w: w, width: width}
	p.watched(s, served("service time", s.Load.Total.Service))
	if len(s.Replicas) > 0 {
		p.printf("\n")
		p.watchedWhen(s.Replicas)
	}
	p.whoNames(s)
	p.listed(s.Workers)
	if len(s.Load.Failures) > 0 {
		p.printf("\n")
	}
	for _, f := range s.Load.Failures {
		p.say("%s: %s (%s), first %s, last %s", profiles.Plural(f.Count, "failure", "failures"), f.Failure, f.Example,
			s.Load.Started.Add(f.First).Format(time.TimeOnly), s.Load.Started.Add(f.Last).Format(time.TimeOnly))
	}
	if len(s.Changes) > 0 {
		p.printf("\n")
	}
	p.changes(s.Changes)
	return p.err
}

// WatchLine is a watch in one line.
func WatchLine(s Watch) string {
	text := counted(s.Load) + servedLately(s.Load)
	if !s.Down.IsZero() {
		text += "; " + down(s)
	}
	for _, r := range s.Replicas {
		switch r.State {
		case probe.Gone:
		case probe.Serving:
			text += fmt.Sprintf("; %s %s", r.ID, percent(r.Share))
		default:
			text += fmt.Sprintf("; %s %s", r.ID, r.State)
		}
	}
	return text
}

// lines are what write puts on paper.
func lines(width int, write func(p *paper)) []string {
	var text bytes.Buffer
	write(&paper{w: &text, width: width})
	if text.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// watched is the head of a watch, with the times that are to stand there.
func (p *paper) watched(s Watch, times string) {
	started := s.Load.Started
	p.say("%s: %.3g/s since %s (%s)", s.Target, s.Rate, started.Format(time.TimeOnly), s.At.Sub(started).Round(time.Second))
	if !s.Down.IsZero() {
		p.say("%s", down(s))
	}
	p.say("%s", counted(s.Load)+times)
	p.addresses(s.Load.Conns.Remotes, s.Name)
}

// listed is what a list of workers says, where one was asked.
func (p *paper) listed(workers probe.Statement) {
	if workers.Known != nil || workers.Error != "" {
		p.say("%s", workers)
	}
}

// counted is what came of the requests, and what waits for an answer.
func counted(l load.Snapshot) string {
	text := fmt.Sprintf("%s, %d failed", profiles.Plural(l.Total.Count, "request", "requests"), l.Total.Failed)
	if waiting, oldest, ok := l.Stalled(); ok && waiting > 0 {
		text += fmt.Sprintf(", %d waiting, the oldest for %s", waiting, oldest.Round(time.Second))
	}
	return text
}

// served adds the service times of some successes to a line; nothing where there
// are none.
func served(what string, q load.Quantiles) string {
	if q.Count == 0 {
		return ""
	}
	return fmt.Sprintf(", %s p50 %s, p95 %s, p99 %s", what, profiles.FormatLatency(q.P50), profiles.FormatLatency(q.P95), profiles.FormatLatency(q.P99))
}

func servedLately(l load.Snapshot) string { return served("in the last minute", l.Lately) }

func down(s Watch) string {
	return fmt.Sprintf("every request fails since %s, now: %s", s.Down.Format(time.TimeOnly), s.Problem)
}

// addresses are those of the target that connections went to, and how many its
// name has.
func (p *paper) addresses(remotes []load.Remote, name probe.Statement) {
	const most = 2
	if len(remotes) == 0 {
		return
	}
	text := remotes[0].Address
	for i, r := range remotes[1:] {
		if i+1 == most {
			text += fmt.Sprintf(" and %d more", len(remotes)-most)
			break
		}
		text += ", " + r.Address
	}
	if name.Known != nil || name.Error != "" {
		text += "; " + name.String()
	}
	p.say("%s: %s", profiles.Plural(len(remotes), "address", "addresses"), text)
}

// watchedWhen is the table of the replicas at the end of a watch.
func (p *paper) watchedWhen(replicas []probe.Replica) {
	var named int64
	for _, r := range replicas {
		named += r.Requests
	}
	rows := [][]string{{"replica", "state", "first", "last", "answers", "failed", "share", "p50", "p95"}}
	for _, r := range replicas {
		if !r.Answered {
			rows = append(rows, []string{r.ID, string(r.State), none, none, "0", none, none, none, none})
			continue
		}
		rows = append(rows, []string{r.ID, string(r.State), r.FirstSeen.Format(time.TimeOnly), r.LastSeen.Format(time.TimeOnly),
			fmt.Sprint(r.Requests), fmt.Sprint(r.Failed), percent(float64(r.Requests) / float64(named)), replicaTime(r, r.P50), replicaTime(r, r.P95)})
	}
	p.named("nlllrrrrr", rows)
}

// watchedReplicas is the table of the replicas in so many lines, its head
// included; a wide page has more of it.
func (p *paper) watchedReplicas(s Watch, most int) {
	if len(s.Replicas) == 0 || most < 2 {
		return
	}
	shown := s.Replicas
	if 1+len(shown) > most {
		shown = foremost(s, max(1, most-2))
	}
	rows := [][]string{{"replica", "state", "share", "last", "p50", "p95", "p99", "failed", "first", "answers"}}
	for _, r := range shown {
		if !r.Answered {
			rows = append(rows, []string{r.ID, string(r.State), none, none, none, none, none, none, none, "0"})
			continue
		}
		share := percent(r.Share)
		if r.State == probe.Gone {
			share = none
		}
		times := [3]string{none, none, none}
		if q := r.Lately; q != nil {
			times = [3]string{milliseconds(q.P50), milliseconds(q.P95), milliseconds(q.P99)}
		}
		rows = append(rows, []string{r.ID, string(r.State), share, ago(s.At.Sub(r.LastSeen)),
			times[0], times[1], times[2], fmt.Sprint(r.Failed), r.FirstSeen.Format(time.TimeOnly), fmt.Sprint(r.Requests)})
	}
	p.named("nlrrrrrrlr", rows)
	if more := len(s.Replicas) - len(shown); more > 0 && len(shown)+1 < most {
		p.printf("and %s\n", profiles.Plural(more, "more replica", "more replicas"))
	}
}

// foremost are n of the replicas, in their order: those that changed last, then
// those that stand first.
func foremost(s Watch, n int) []probe.Replica {
	changed := map[string]int{}
	for i, c := range s.Changes {
		if c.Kind != probe.ChangeMet {
			changed[c.Replica] = 1 + i
		}
	}
	order := make([]int, len(s.Replicas))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(changed[s.Replicas[b].ID], changed[s.Replicas[a].ID]) })
	order = order[:n]
	slices.Sort(order)
	out := make([]probe.Replica, n)
	for i, at := range order {
		out[i] = s.Replicas[at]
	}
	return out
}

// named is a table whose first column has names. Where it is too wide for the
// page, its last columns are left out before the names become too short.
func (p *paper) named(align string, rows [][]string) {
	const readable = 16
	widths := make([]int, len(align))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	columns, width := 1, min(widths[0], readable)
	for ; columns < len(align); columns++ {
		if width += 2 + widths[columns]; p.width > 0 && width > p.width {
			break
		}
	}
	for i := range rows {
		rows[i] = rows[i][:columns]
	}
	p.table(align[:columns], rows)
}

// watchedCaption says what stands in the table of the replicas, and who named
// them.
func (p *paper) watchedCaption(s Watch) {
	if !s.named() {
		return
	}
	how := "as told"
	if s.Load.Found {
		how = fmt.Sprintf("found by itself (%s)", s.Load.Sure)
	}
	p.say("times in ms, of the last minute; named by %s, %s", s.Load.Identity, how)
}

// watchNotes say in few words what is to know besides.
func (p *paper) watchNotes(s Watch) {
	for _, n := range s.Notices {
		p.say("! %s", n.Text)
	}
	if s.named() {
		p.unnamed(s.Load)
	} else {
		p.whoNames(s)
	}
	p.listed(s.Workers)
	// A wider interval is one of the first answers, and says no more than that.
	if u := s.Unseen; u.High > u.Seen && u.High <= 2*u.Seen {
		p.say("%s met, and there may be up to %d (95 %%)", profiles.Plural(u.Seen, "replica", "replicas"), u.High)
	}
	if s.Quiet > 0 && s.Rate > 0 {
		p.say("quiet after %d answers without it (%s), gone after %d (%s), new or rare later", s.Quiet, lasts(s.Quiet, s.Rate), s.Gone, lasts(s.Gone, s.Rate))
	}
}

// lasts is how long so many answers take.
func lasts(answers int64, rate float64) time.Duration {
	return time.Duration(float64(answers) / rate * float64(time.Second)).Round(time.Second)
}

// whoNames says where names of replicas come from, or why there are none.
func (p *paper) whoNames(s Watch) {
	switch l := s.Load; {
	case l.Identity != "" && !s.named() && l.Unnamed > 0:
		p.say("no answer names its replica by %s: without --replica-from the answers are looked through for another name", l.Identity)
	case l.Identity != "":
		p.naming(l)
		p.unnamed(l)
	case l.Total.Count > l.Total.Failed:
		p.nameless(l)
	}
}

// named reports whether answers have named replicas.
func (s Watch) named() bool {
	return s.Load.Identity != "" && slices.ContainsFunc(s.Replicas, func(r probe.Replica) bool { return r.Answered })
}

func (p *paper) changes(list []probe.Change) {
	for _, c := range list {
		p.say("%s", ChangeLine(c))
	}
}

// ChangeLine is a change in one line, with its time of the day.
func ChangeLine(c probe.Change) string { return c.At.Format(time.TimeOnly) + " " + c.Text }

// replicaTime writes a time of a replica in milliseconds.
func replicaTime(r probe.Replica, d time.Duration) string {
	if r.Requests == r.Failed {
		return none
	}
	return milliseconds(d)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", share*100) }

// ago writes for how long something is over, in a few characters.
func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "<1s"
	case d < 100*time.Second:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh", int(d.Hours()))
}
