// Package advisor says what a load means: how much one replica carries under
// an SLO, which autoscale policy follows from that, and whether the policy
// holds when the same load comes again. Its Session ties a run together -
// engine, replicas, scaler, measurement, advice - and shows all of it as a
// numbered State.
//
// It knows a scaler only through the Scaler interface and never touches a
// fleet that it was not handed. It refuses to advise where the evidence does
// not carry advice, and says why.
//
// A Session owns one goroutine that publishes States, one that asks the
// scaler, and one for the job under way; all have ended when Run returns.
package advisor
