package scaler

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"headroom/scaler/httpapi"
)

// ErrNotFound says that no running scaler fits.
var ErrNotFound = errors.New("scaler not found")

// runningScalers lists the living scalers of a runtime folder by name.
func runningScalers(runtimeDir string) ([]httpapi.Entry, error) {
	entries, err := httpapi.Entries(runtimeDir)
	return slices.DeleteFunc(entries, func(e httpapi.Entry) bool { return e.Kind == httpapi.Run }), err
}

func clientOf(e httpapi.Entry) *Client { return NewClient("http://"+e.API, e.Token) }

// Find returns a client of the running scaler of that name. An empty
// runtimeDir means the default one. The error wraps ErrNotFound when there is
// none, and names those that there are.
func Find(runtimeDir, name string) (*Client, error) {
	running, err := runningScalers(runtimeDir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range running {
		if e.Name == name {
			return clientOf(e), nil
		}
		names = append(names, e.Name)
	}
	there := "none is running"
	if len(names) > 0 {
		there = "running: " + strings.Join(names, ", ")
	}
	return nil, fmt.Errorf("%w: got name %q, %s", ErrNotFound, name, there)
}

// FindByService returns a client of the scaler whose service has the address
// hostport, or ErrNotFound. An empty runtimeDir means the default one.
func FindByService(runtimeDir, hostport string) (*Client, error) {
	return findByAddress(runtimeDir, hostport, "serves", func(e httpapi.Entry) string { return e.Service })
}

// FindByAPI returns a client of the scaler whose API has the address hostport,
// or ErrNotFound. An empty runtimeDir means the default one.
func FindByAPI(runtimeDir, hostport string) (*Client, error) {
	return findByAddress(runtimeDir, hostport, "has its API at", func(e httpapi.Entry) string { return e.API })
}

// findByAddress finds the scaler one of whose listeners is reached at
// hostport.
func findByAddress(runtimeDir, hostport, relation string, listener func(httpapi.Entry) string) (*Client, error) {
	want, err := httpapi.SplitAddress(hostport)
	if err != nil {
		return nil, fmt.Errorf("got address %q, want HOST:PORT: %w", hostport, err)
	}
	running, err := runningScalers(runtimeDir)
	if err != nil {
		return nil, err
	}
	for _, e := range running {
		if have, err := httpapi.SplitAddress(listener(e)); err == nil && have.Serves(want) {
			return clientOf(e), nil
		}
	}
	return nil, fmt.Errorf("%w: none %s %s", ErrNotFound, relation, hostport)
}
