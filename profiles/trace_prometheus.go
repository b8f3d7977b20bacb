package profiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// isJSON tells by the first character that is no blank.
func isJSON(begin []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(begin), []byte("{")) }

// rangeAnswer is what Prometheus answers at /api/v1/query_range.
type rangeAnswer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"` // of a matrix: rangeSeries
	} `json:"data"`
}

type rangeSeries struct {
	Values []rangeValue `json:"values"`
}

// rangeValue is written as [1700000000.5, "3.25"].
type rangeValue struct {
	at   instant
	rate float64 // requests per second; NaN where there is none
}

func (v *rangeValue) UnmarshalJSON(text []byte) error {
	var pair []any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&pair); err != nil {
		return err
	}
	bad := fmt.Errorf("got %s, want a time in seconds and a rate of 0 or more in quotes", text)
	if len(pair) != 2 {
		return bad
	}
	at, isNumber := pair[0].(json.Number)
	rate, isText := pair[1].(string)
	if !isNumber || !isText {
		return bad
	}
	moment, ok := parseSeconds(at.String())
	value, err := strconv.ParseFloat(rate, 64)
	if !ok || err != nil || value < 0 || value > 1e9 {
		return bad
	}
	*v = rangeValue{moment, value}
	return nil
}

// readRange reads the answer to a range query as rates, those of several
// series summed. A value is the rate of the step that ends at its time.
func (t *trace) readRange(r io.Reader) (Recorded, error) {
	if t.Column != "" || t.Interval > 0 {
		return Recorded{}, errors.New("got the answer of Prometheus and --trace-column or --trace-interval, want one: its values are requests per second")
	}
	var answer rangeAnswer
	if err := json.NewDecoder(r).Decode(&answer); err != nil {
		return Recorded{}, fmt.Errorf("got JSON that is no answer of Prometheus: %w", err)
	}
	switch {
	case answer.Status == "error":
		return Recorded{}, fmt.Errorf("got the error %q of Prometheus, want its answer to a range query", answer.Error)
	case answer.Data.ResultType != "matrix":
		return Recorded{}, fmt.Errorf("got JSON with a result of type %q, want a matrix, as Prometheus answers at /api/v1/query_range", answer.Data.ResultType)
	}
	var series []rangeSeries
	if err := json.Unmarshal(answer.Data.Result, &series); err != nil {
		return Recorded{}, err
	}
	sums := map[instant]float64{}
	for _, s := range series {
		if isCounter(s.Values) {
			return Recorded{}, errors.New("got a counter, which only grows, want requests per second: query sum(rate(METRIC[1m]))")
		}
		for _, v := range s.Values {
			if !math.IsNaN(v.rate) {
				sums[v.at] += v.rate
			}
		}
	}
	return t.ofRates(sums)
}

// enoughToCount is how many whole values that never fall are taken for a
// counter.
const enoughToCount = 10

// isCounter reports whether values are those of a counter rather than rates.
func isCounter(values []rangeValue) bool {
	if len(values) < enoughToCount || values[len(values)-1].rate <= values[0].rate {
		return false
	}
	for i, v := range values {
		if v.rate != math.Trunc(v.rate) || i > 0 && v.rate < values[i-1].rate {
			return false
		}
	}
	return true
}

// ofRates makes a trace of rates by the end of their steps. One that is missing
// is no rate of zero.
func (t *trace) ofRates(rates map[instant]float64) (Recorded, error) {
	at := slices.Sorted(maps.Keys(rates))
	if len(at) < 2 {
		return Recorded{}, fmt.Errorf("got %s, want two or more to know their step", Plural(len(at), "moment with a value", "moments with a value"))
	}
	step := at[1] - at[0]
	for i := 2; i < len(at); i++ {
		step = min(step, at[i]-at[i-1])
	}
	for i := 1; i < len(at); i++ {
		if gap := at[i] - at[i-1]; gap != step {
			return Recorded{}, fmt.Errorf("got no value from %s for %s, want one every %s: query a range without gaps, or with `or vector(0)` where nothing means no requests",
				at[i-1].date(), Duration(gap), Duration(step))
		}
	}
	if t.tooLong(float64(at[len(at)-1] - at[0] + step)) {
		return t.recorded(nil)
	}
	t.start, t.step = at[0]-step, time.Duration(step)
	ends := make([]time.Duration, len(at))
	for i, m := range at {
		ends[i], t.counts = time.Duration(m-t.start), append(t.counts, rates[m]*t.step.Seconds())
	}
	if slices.Max(t.counts) == 0 {
		return t.recorded(t.refuse("all rates are 0: nothing arrives"))
	}
	return t.recorded(t.replay(ends))
}
