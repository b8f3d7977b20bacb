//go:build !linux

package scaler

import "github.com/shirou/gopsutil/v4/process"

// parents maps every process to its parent.
func parents() map[int]int {
	all, err := process.Processes()
	if err != nil {
		return nil
	}
	out := make(map[int]int, len(all))
	for _, p := range all {
		if parent, err := p.Ppid(); err == nil {
			out[int(p.Pid)] = int(parent)
		}
	}
	return out
}
