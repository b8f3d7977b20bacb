// Package scaler is the built-in backend: it starts copies of a command as
// replicas on this machine, waits until each is ready, balances one address
// over them with a queue in which the oldest waits at the front, and keeps as
// many replicas as a profiles.Policy wants.
//
// # What it refuses
//
// It has no decision code of its own: sizes come from the decider and the
// choice of a replica from profiles.Picker, which the simulator uses too. A
// request that may have reached a replica is never sent again, neither to
// another replica nor to the same one; only one for which no connection could
// be made goes elsewhere. A replica that has taken too long gets nothing more
// while it may still compute, though its client has an answer. The control API
// listens on a loopback address only, and answers nobody without the token of
// the runtime file. No replica outlives its scaler, however the scaler ends.
// Windows is refused.
//
// # Goroutines
//
// All of them belong to [Scaler.Run], which returns when they have ended:
//
//	service, api   one HTTP server each, with a goroutine per connection
//	upload         one per request with a body: sends that while the handler
//	               waits for an answer
//	late           two per request whose replica is late: one reads on, one
//	               ends that when it has been so for as long again
//	pool           orders replicas up to the wanted number
//	place          one per wanted replica: starts it, waits until it is ready,
//	               looks at it while it is idle, replaces it when it ends,
//	               drains and ends it when it must go
//	reaper         one per process of a replica: waits for its end (and two
//	               that copy what it prints)
//	loop           the decisions: one each interval, one when a schedule begins
//	               or ends, and one when a request comes to a fleet of none
//	signals        CPU time and memory of all replicas, and the requests in
//	               flight, once a second
//	watch          the policy file and the ConfigMap file, once a second
//
// The policy changes over the API and by those two files, one change after the
// other, with a decision each; one that is refused changes nothing.
//
// Time flows in from those loops; balancer, pool and loop are tested with
// virtual time.
//
// # Processes
//
//	scaler -- supervisor -- command -- whatever it starts
//
// The supervisor is this same program, started again with a hidden first
// argument, so main must hand over to it before anything else:
//
//	if scaler.IsSupervisor(os.Args) {
//		os.Exit(scaler.Supervise(os.Args))
//	}
//
// It watches a pipe that only the scaler holds open, and ends the command with
// all its descendants when the pipe closes. On Linux it adopts orphans, so that
// a session of its own does not help a process to stay; elsewhere the process
// group is ended. HEADROOM_REPLICA in the environment of a replica marks its
// processes, for the case that its supervisor is killed.
//
// Where replicas have limits, the command starts in a control group of its
// own. The supervisor stays outside: it must be able to act when the command
// has used up its memory.
package scaler
