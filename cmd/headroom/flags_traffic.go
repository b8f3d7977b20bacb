package main

import (
	"time"

	"github.com/spf13/pflag"

	"headroom/advisor"
)

// recorded adds the flags that read the traffic from a trace.
func (v *adviceFlags) recorded(f *pflag.FlagSet) {
	v.given = f
	v.trace.traceFlags(f)
	f.Lookup("trace").Usage = "take the traffic, its rise and its season from the load recorded in `FILE`: times or counts per interval in CSV or one a line, an access log, or the JSON of a Prometheus range query"
	f.StringVar(&v.zone, "timezone", v.zone, "IANA `NAME` of the place whose clocks the hours of a --trace follow, such as Europe/Berlin")
}

// readTraffic takes the traffic from whichever flags say it.
func (v *adviceFlags) readTraffic() error {
	if err := v.trace.checkTrace(v.given); err != nil {
		return err
	}
	zone, err := time.LoadLocation(v.zone)
	switch {
	case v.trace.trace == "" && !v.traffic.Known():
		return usage("--traffic: got nothing, want LOW..HIGH in requests per second, such as 50..200, or a --trace")
	case v.trace.trace == "" && v.given.Changed("timezone"):
		return usage("--timezone: got %q without --trace, want both or neither", v.zone)
	case v.trace.trace == "":
		return nil
	case v.traffic.Known():
		return usage("--traffic: got %s and --trace %s, want one", v.traffic, v.trace.trace)
	case err != nil || v.zone == "" || v.zone == "Local": // what a policy may not say
		return usage("--timezone: got %q, want an IANA name such as Europe/Berlin", v.zone)
	}
	recorded, err := v.trace.read()
	if err != nil {
		return err
	}
	if v.wanted.History, err = advisor.NewHistory(recorded, zone); err != nil {
		return usage("--trace: %s: %w", v.trace.trace, err)
	}
	v.traffic = v.wanted.History.Traffic()
	return nil
}
