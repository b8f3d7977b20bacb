package tui

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// overJSON is st as a dashboard elsewhere gets it.
func overJSON(t interface{ Fatal(...any) }, st advisor.State) (out advisor.State) {
	text, err := json.Marshal(st)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameScreens(t interface{ Errorf(string, ...any) }, want, got advisor.State, view, w, h int) {
	a, b := showing(want, plainStyles(), view, w, h).View(), showing(got, plainStyles(), view, w, h).View()
	if a != b {
		t.Errorf("view %d at %dx%d: here\n%s\nand elsewhere\n%s", view+1, w, h, a, b)
	}
}

// A dashboard elsewhere shows what the one beside the session does.
func TestStateOverJSONLooksTheSame(t *testing.T) {
	for _, scene := range scenes {
		st := scene.state()
		st.Lost = "" // is said by who receives it
		for view := range views {
			for _, size := range sizes {
				sameScreens(t, st, overJSON(t, st), view, size.w, size.h)
			}
		}
	}
	planned := idleState()
	planned.Plan.Shape = profiles.Ramp{From: 3, Stages: []profiles.Stage{{For: time.Minute, To: 10}}}
	if got, want := demandOf(overJSON(t, planned)), demandOf(planned); got != want {
		t.Errorf("the planned load: got %v, want %v", got, want)
	}
}

func TestAnyStateOverJSONLooksTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := anyState(t)
		st.Lost = "" // is said by who receives it
		sayable(reflect.ValueOf(&st).Elem())
		st.SLO, st.Load.SLO, st.Load.RecentSLO = mustSLO("p95<100ms,errors<1%"), anyJudged(t), anyJudged(t)
		for _, o := range []*advisor.Outcome{st.Before, st.After} {
			if o != nil {
				o.SLO = anyJudged(t)
			}
		}
		if st.Swarm != nil {
			st.Swarm.SLO, st.Swarm.RecentSLO = anyJudged(t), anyJudged(t)
		}
		view := rapid.IntRange(0, len(views)-1).Draw(t, "view")
		sameScreens(t, st, overJSON(t, st), view, rapid.IntRange(80, 200).Draw(t, "width"), rapid.IntRange(24, 60).Draw(t, "height"))
	})
}

// anyJudged is how a run does on the objectives of an SLO; a value may be
// infinite.
func anyJudged(t *rapid.T) (out []load.Objective) {
	for _, o := range mustSLO("p95<100ms,errors<1%") {
		judged := judgements.Draw(t, "judged")
		judged.Objective, judged.Name = o, o.String()
		out = append(out, judged)
	}
	return out
}

// sayable makes of a value what JSON can say of it: text is UTF-8, numbers are
// finite, and those of a policy are as a policy may have them.
func sayable(v reflect.Value) {
	switch n := v.Interface().(type) {
	case profiles.Limit:
		v.SetInt(min(max(1, int64(n)), 1000))
	case profiles.Milli:
		v.SetInt(int64(n) % 1_000_000)
	case profiles.Duration:
		v.SetInt(int64(n.Std().Truncate(time.Second) % (1000 * time.Hour)))
	}
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() {
			v.SetString(strings.ToValidUTF8(v.String(), "?"))
		}
	case reflect.Float64:
		if v.CanSet() && math.IsInf(v.Float(), 0) {
			v.SetFloat(1)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			sayable(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			sayable(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				sayable(v.Field(i))
			}
		}
	}
}
