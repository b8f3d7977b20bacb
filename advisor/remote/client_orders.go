package remote

import (
	"errors"
	"net/http"

	"headroom/profiles"
	"headroom/scaler/httpapi"
)

// Start swarms the target as planned.
func (c *Client) Start() error { return c.order("start", nil) }

// Stop ends what is under way in peace.
func (c *Client) Stop() error { return c.order("stop", nil) }

// SetUsers changes the users of the swarm.
func (c *Client) SetUsers(n int) error { return c.order("users", usersOrder{n}) }

// SetSpawnRate changes how many users start per second.
func (c *Client) SetSpawnRate(perSecond float64) error {
	return c.order("spawn-rate", rateOrder{perSecond})
}

// SetRate changes how many arrivals per second come.
func (c *Client) SetRate(perSecond float64) error { return c.order("rate", rateOrder{perSecond}) }

// SetTraffic says what the advice is for.
func (c *Client) SetTraffic(t profiles.Traffic) error {
	return c.order("traffic", trafficOrder{t.Low.Float(), t.High.Float()})
}

// TogglePause stops sending, or goes on.
func (c *Client) TogglePause() error { return c.order("pause", nil) }

// Recycle replaces every connection before its next request.
func (c *Client) Recycle() error { return c.order("recycle", nil) }

// ResetStats forgets the totals of the run.
func (c *Client) ResetStats() error { return c.order("reset", nil) }

// Advise measures the capacity and derives a policy.
func (c *Client) Advise() error { return c.order("advise", nil) }

// Apply puts the advice in force.
func (c *Client) Apply() error { return c.order("apply", nil) }

// Verify replays the load for the comparison.
func (c *Client) Verify() error { return c.order("verify", nil) }

func (c *Client) order(name string, parameters any) error {
	_, err := c.api.Do(c.ctx, http.MethodPost, orderPath+name, "", parameters, nil)
	var refused *httpapi.Refused
	if errors.As(err, &refused) {
		return refused // what the session says, as it would say it here
	}
	return err
}
