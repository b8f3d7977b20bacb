package platform

import (
	"testing"
	"time"

	"headroom/profiles"
)

// kedaOf is a decider for a ScaledObject with one trigger for rps, target 10.
func kedaOf(t testing.TB, edit func(*kedaFile)) *kedaDecider {
	t.Helper()
	ten := profiles.Milli(10_000)
	var f kedaFile
	high := int32(100)
	f.Spec.Max = &high
	f.Spec.Triggers = []kedaTrigger{{Type: "prometheus", Name: "rps", Metadata: kedaMetadata{Threshold: &ten}}}
	if edit != nil {
		edit(&f)
	}
	d, err := kedaSettings{kedaFile: f}.decider()
	if err != nil {
		t.Fatal(err)
	}
	return d.(*kedaDecider)
}

func int32Of(n int32) *int32 { return &n }

// Vectors X1 to X7 of the reference (scale_scaledobjects_test.go).
func TestKEDAExecutor(t *testing.T) {
	for _, c := range []struct {
		name    string
		edit    func(*kedaFile)
		cur     int
		total   profiles.Milli
		desired int
		reason  profiles.Reason
	}{
		{"X1", nil, 10, 0, 0, kedaDeactivated},
		{"X2", func(f *kedaFile) { f.Spec.Min = 5 }, 1, 0, 5, kedaToMin},
		{"X3", nil, 0, 5000, 1, kedaActivated},
		{"X4", func(f *kedaFile) { f.Spec.Min, f.Spec.Idle = 5, new(int32) }, 10, 0, 0, kedaDeactivated},
		{"X6", func(f *kedaFile) { f.Metadata.Annotations.PausedIn = "true" }, 10, 0, 10, hpaAllBelow},
		{"X7", func(f *kedaFile) { f.Metadata.Annotations.PausedOut = "true" }, 0, 5000, 0, kedaPausedOut},

		{"idle wakes to min", func(f *kedaFile) { f.Spec.Min, f.Spec.Idle = 5, new(int32) }, 0, 5000, 5, kedaActivated},
		{"idle stays", func(f *kedaFile) { f.Spec.Min, f.Spec.Idle = 5, new(int32) }, 0, 0, 0, kedaNotActive},
		{"at the activation threshold", func(f *kedaFile) { f.Spec.Triggers[0].Metadata.Activation = 5000 }, 0, 5000, 0, kedaNotActive},
		{"above it", func(f *kedaFile) { f.Spec.Triggers[0].Metadata.Activation = 5000 }, 0, 5001, 1, kedaActivated},
		{"forced", func(f *kedaFile) { f.Metadata.Annotations.Force = "true" }, 0, 0, 1, kedaActivated},
		{"paused", func(f *kedaFile) { f.Metadata.Annotations.Paused = "true" }, 7, 0, 7, kedaPaused},
		{"paused at 3", func(f *kedaFile) { f.Metadata.Annotations.PausedReplicas = int32Of(3) }, 7, 0, 3, kedaPaused},
		{"a failing trigger at zero", nil, 0, -1, 0, kedaTriggerFail},
		{"min keeps one", func(f *kedaFile) { f.Spec.Min = 1 }, 1, 0, 1, hpaAllBelow},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := kedaOf(t, c.edit).Decide(noon, profiles.Metrics{Replicas: c.cur, Ready: c.cur, Readings: readings(c.total)})
			if got.Desired != c.desired || got.Reason != c.reason {
				t.Errorf("Decide = %+v, want %d, %q", got, c.desired, c.reason)
			}
		})
	}
}

// Zero comes when nothing was active for more than the cooldown, which the
// last activity begins, and not before initialCooldownPeriod in a new object.
func TestKEDACoolsDown(t *testing.T) {
	d := kedaOf(t, func(f *kedaFile) {
		f.Spec.Cooldown, f.Spec.Polling, f.Spec.InitialCooldown = int32Of(60), int32Of(10), 30
	})
	for _, c := range []struct {
		at      int // seconds
		total   profiles.Milli
		cur     int
		desired int
		reason  profiles.Reason
	}{
		{0, 0, 2, 2, hpaAllBelow},        // created just now; the HPA keeps its window
		{10, 0, 2, 2, kedaCooldown},      //
		{20, 5000, 2, 2, hpaAllBelow},    // active
		{50, 0, 2, 2, hpaAllBelow},       //
		{80, 0, 2, 2, hpaAllBelow},       // 60 s are not more than 60 s
		{90, 0, 2, 0, kedaDeactivated},   //
		{100, 0, 0, 0, kedaNotActive},    //
		{105, 5000, 0, 0, kedaWaits},     // not polled yet
		{110, 5000, 0, 1, kedaActivated}, //
	} {
		now := noon.Add(time.Duration(c.at) * time.Second)
		got := d.Decide(now, profiles.Metrics{Replicas: c.cur, Ready: c.cur, Readings: readings(c.total)})
		if got.Desired != c.desired || got.Reason != c.reason {
			t.Errorf("after %d s: %+v, want %d, %q", c.at, got, c.desired, c.reason)
		}
	}
	d = kedaOf(t, func(f *kedaFile) { f.Spec.Polling, f.Spec.InitialCooldown = int32Of(10), 30 })
	for at, want := range []int{2, 2, 2, 0} {
		now := noon.Add(time.Duration(at) * 10 * time.Second)
		if got := d.Decide(now, profiles.Metrics{Replicas: 2, Ready: 2, Readings: readings(0)}); got.Desired != want {
			t.Errorf("%d s after the creation: %+v, want %d", at*10, got, want)
		}
	}
}

// The HPA looks every 15 s, whoever asks how often.
func TestKEDASyncsInItsOwnRhythm(t *testing.T) {
	d := kedaOf(t, func(f *kedaFile) { f.Spec.Min = 1 })
	n, changes := 1, []int(nil)
	for at := range 31 {
		got := d.Decide(noon.Add(time.Duration(at)*time.Second), profiles.Metrics{Replicas: n, Ready: n, Readings: readings(1_000_000)})
		if got.Desired != n {
			changes = append(changes, at)
		}
		n = got.Desired
	}
	// 1 -> 4 -> 8 -> 16: without behavior the size doubles, or becomes 4.
	if len(changes) != 3 || changes[0] != 0 || changes[1] != 15 || changes[2] != 30 || n != 16 {
		t.Errorf("changes after %v s to %d, want after 0, 15 and 30 to 16", changes, n)
	}
}

// Vectors X8 to X10 of the reference (fallback_test.go).
func TestKEDAFallback(t *testing.T) {
	for _, c := range []struct {
		name   string
		b      kedaFallback
		cur    int
		metric profiles.Milli
	}{
		{"X8", kedaFallback{Replicas: int32Of(10), Behavior: fallbackHigher}, 6, 100},
		{"X9", kedaFallback{Replicas: int32Of(10), Behavior: fallbackCurrent}, 6, 60},
		{"X10", kedaFallback{Replicas: int32Of(10), Behavior: fallbackStatic}, 15, 100},
		{"higher already", kedaFallback{Replicas: int32Of(10), Behavior: fallbackHigher}, 15, 150},
		{"lower", kedaFallback{Replicas: int32Of(10), Behavior: fallbackLower}, 6, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.b.metric(10, c.cur); got != c.metric {
				t.Errorf("the metric is %d, want %d", got, c.metric)
			}
		})
	}
	d := kedaOf(t, func(f *kedaFile) {
		f.Spec.Min = 1
		f.Spec.Fallback = &kedaFallback{Threshold: int32Of(3), Replicas: int32Of(9)}
	})
	n := 2
	for i, want := range []int{2, 2, 2, 4, 8, 9} { // three failures, then doubling to 9
		got := d.Decide(noon.Add(time.Duration(i)*hpaSync.Std()), profiles.Metrics{Replicas: n, Ready: n, Readings: readings(-1)})
		if n = got.Desired; n != want {
			t.Errorf("after %d failures: %+v, want %d", i+1, got, want)
		}
	}
}

func cronTrigger(start, end, zone string, desired int32) kedaTrigger {
	return kedaTrigger{Type: "cron", Metadata: kedaMetadata{Start: start, End: end, Timezone: zone, Desired: desired}}
}

// Vectors V1 and V2 of the reference (TestIsActive, TestIsActiveRange).
func TestKEDACron(t *testing.T) {
	thursday := cronTrigger("0 0 * * Thu", "59 23 * * Thu", "UTC", 10)
	hours := cronTrigger("0 */2 * * *", "0 1-23/2 * * *", "UTC", 10)
	day := cronTrigger("0 9 * * *", "0 17 * * *", "Europe/Berlin", 10)
	at := func(text string) time.Time {
		now, err := time.Parse("2006-01-02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	for _, c := range []struct {
		name    string
		trigger kedaTrigger
		now     time.Time
		want    bool
	}{
		{"V1 on Thursday", thursday, at("2026-11-19 12:00:00"), true},
		{"V1 on another day", thursday, at("2026-11-20 12:00:00"), false},
		{"V1 at its beginning", thursday, at("2026-11-19 00:00:00"), true},
		{"V1 just before its end", thursday, at("2026-11-19 23:58:59"), true},
		{"V1 at its end", thursday, at("2026-11-19 23:59:00"), false},
		{"V2 at an even hour", hours, at("2026-11-19 14:30:00"), true},
		{"V2 at an odd hour", hours, at("2026-11-19 15:30:00"), false},
		{"in Berlin's winter", day, at("2026-11-19 08:00:00"), true},
		{"before Berlin's winter", day, at("2026-11-19 07:59:59"), false},
		{"in Berlin's summer", day, at("2026-07-19 07:00:00"), true},
		{"after Berlin's summer", day, at("2026-07-19 15:00:00"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := c.trigger.hours()
			if err != nil {
				t.Fatal(err)
			}
			if got := h.active(c.now); got != c.want {
				t.Errorf("active(%s) = %v, want %v", c.now, got, c.want)
			}
			// What is remembered must not be older than the next moment.
			for now := c.now; now.Before(c.now.Add(50 * time.Hour)); now = now.Add(17 * time.Minute) {
				fresh, err := c.trigger.hours()
				if err != nil {
					t.Fatal(err)
				}
				if got, want := h.active(now), fresh.active(now); got != want {
					t.Fatalf("active(%s) = %v after %s, want %v", now, got, c.now, want)
				}
			}
		})
	}
}

// Vectors G1 to G4 of the reference: the dead band of the HPA holds for a cron
// trigger too.
func TestKEDACronThroughTheHPA(t *testing.T) {
	for _, c := range []struct {
		name               string
		desired            int32
		cur, size, settled int
	}{
		{"G1", 10, 11, 11, 11},
		{"G2", 10, 20, 20, 10}, // after the window
		{"G3", 24, 22, 22, 22},
		{"G4", 60, 57, 57, 57},
		{"out of the band", 25, 22, 25, 25},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := kedaOf(t, func(f *kedaFile) {
				f.Spec.Min = 1
				f.Spec.Triggers = []kedaTrigger{cronTrigger("0 9 * * *", "0 17 * * *", "UTC", c.desired)}
			})
			n := c.cur
			for at := time.Duration(0); at <= 6*time.Minute; at += hpaSync.Std() {
				n = d.Decide(noon.Add(at), profiles.Metrics{Replicas: n, Ready: n}).Desired
				if at == 0 && n != c.size {
					t.Errorf("at once there are %d, want %d", n, c.size)
				}
			}
			if n != c.settled {
				t.Errorf("after the window there are %d, want %d", n, c.settled)
			}
		})
	}
}

// A cron trigger is a floor: the highest of all triggers wins.
func TestKEDACronIsAFloor(t *testing.T) {
	withCron := func(f *kedaFile) {
		f.Spec.Triggers = append(f.Spec.Triggers, cronTrigger("0 9 * * *", "0 17 * * *", "UTC", 5))
	}
	for _, c := range []struct {
		total profiles.Milli
		want  int
	}{{0, 5}, {40_000, 5}, {100_000, 10}} {
		got := kedaOf(t, withCron).Decide(noon, profiles.Metrics{Replicas: 5, Ready: 5, Readings: readings(c.total)})
		if got.Raw != c.want {
			t.Errorf("at %s/s: %+v asks for %d, want %d", c.total, got, got.Raw, c.want)
		}
	}
	d, evening := kedaOf(t, withCron), noon.Add(6*time.Hour)
	if got := d.Decide(noon, profiles.Metrics{Replicas: 5, Ready: 5, Readings: readings(0)}); got.Desired != 5 {
		t.Errorf("by day: %+v, want 5, not zero", got)
	}
	if got := d.Decide(evening, profiles.Metrics{Replicas: 5, Ready: 5, Readings: readings(0)}); got.Desired != 0 {
		t.Errorf("in the evening: %+v, want 0", got)
	}
}

// Vectors D of the reference: an average divides a total, a value multiplies
// the size; the HTTP add-on counts requests.
func TestKEDAMetricTypes(t *testing.T) {
	five := profiles.Milli(5000)
	queue := func(how string) *kedaDecider {
		return kedaOf(t, func(f *kedaFile) {
			f.Spec.Min = 1
			f.Spec.Triggers = []kedaTrigger{{Type: "prometheus", Name: "queue", MetricType: how, Metadata: kedaMetadata{Threshold: &five}}}
		})
	}
	addOn := func(m ...profiles.Metric) profiles.Decider {
		f := kedaSettings{pushed: m}
		f.Spec.Triggers = []kedaTrigger{{Type: "external-push", Metadata: kedaMetadata{Route: "web"}}}
		d, err := f.decider()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	inFlight := profiles.Metric{Kind: profiles.InFlight, Target: 100_000}
	rate := profiles.Metric{Kind: profiles.RPS, Target: 10_000}
	for _, c := range []struct {
		name     string
		d        profiles.Decider
		cur      int
		readings []profiles.Reading
		raw      int
	}{
		{"queue 20, AverageValue", queue(targetAverage), 3, readings(20_000), 4},
		{"queue 20, Value", queue(targetValue), 3, readings(20_000), 12},
		{"http-add-on, 250 at once", addOn(inFlight), 1, readings(250_000), 3},
		{"http-add-on, 30.2/s is 31", addOn(rate), 1, readings(30_200), 4},
		{"http-add-on, 20.1/s is 21, within the band", addOn(rate), 2, readings(20_100), 2},
		{"http-add-on, the higher of both", addOn(inFlight, rate), 1, readings(250_000, 70_000), 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.d.Decide(noon, profiles.Metrics{Replicas: c.cur, Ready: c.cur, Readings: c.readings})
			if got.Raw != c.raw {
				t.Errorf("Decide = %+v, want %d asked for", got, c.raw)
			}
		})
	}
	// The add-on pushes: a request does not wait for the next poll.
	t.Run("http-add-on wakes at once", func(t *testing.T) {
		d := addOn(rate)
		d.Decide(noon, profiles.Metrics{Readings: readings(0)})
		if got := d.Decide(noon.Add(time.Second), profiles.Metrics{Readings: readings(100)}); got.Desired != 1 || got.Reason != kedaActivated {
			t.Errorf("Decide = %+v, want 1", got)
		}
	})
}

func busyKEDA(t testing.TB) (profiles.Decider, profiles.Metrics) {
	d := kedaOf(t, func(f *kedaFile) {
		f.Spec.Min = 2
		f.Spec.Fallback = &kedaFallback{Threshold: int32Of(3), Replicas: int32Of(6)}
		f.Spec.Triggers = append(f.Spec.Triggers,
			kedaTrigger{Type: "cpu", MetricType: targetUtilization, Metadata: kedaMetadata{Value: "70"}},
			cronTrigger("0 9 * * 1-5", "0 17 * * 1-5", "Europe/Berlin", 5))
	})
	return d, profiles.Metrics{Replicas: 10, Ready: 9, Readings: readings(120_000, 600_000)}
}

func busyKEDAHTTP(t testing.TB) (profiles.Decider, profiles.Metrics) {
	d, err := kedaHTTP.Decider(running(nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d, profiles.Metrics{Replicas: 10, Ready: 9, Readings: readings(120_000)}
}

func BenchmarkDecideKEDA(b *testing.B) {
	d, m := busyKEDA(b)
	benchmarkDecide(b, d, hpaSync.Std(), m)
}

func BenchmarkDecideKEDAHTTP(b *testing.B) {
	d, m := busyKEDAHTTP(b)
	benchmarkDecide(b, d, hpaSync.Std(), m)
}

func TestKEDADecidesWithoutAllocation(t *testing.T) {
	d, m := busyKEDA(t)
	wantNoAllocations(t, d, hpaSync.Std(), m)
	d, m = busyKEDAHTTP(t)
	wantNoAllocations(t, d, hpaSync.Std(), m)
}
