package target

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	chatPath    = "/v1/chat/completions"
	chatLimit   = 1 << 20 // bytes of a request
	chatID      = "chatcmpl-headroom"
	chatContent = "word " // of each token
)

// chatRequest is what counts of a request for a completion.
type chatRequest struct {
	Model     string          `json:"model"`
	Messages  json.RawMessage `json:"messages"`
	Stream    bool            `json:"stream"`
	MaxTokens int             `json:"max_tokens"`
}

// chatChoice is one choice of an answer, or what a chunk of a stream adds to
// it.
type chatChoice struct {
	Index   int          `json:"index"`
	Message *chatMessage `json:"message,omitempty"`
	Delta   *chatMessage `json:"delta,omitempty"`
	Finish  *string      `json:"finish_reason"` // null until the last
}

type chatMessage struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content"`
}

type chatAnswer struct {
	ID       string       `json:"id"`
	Object   string       `json:"object"`
	Created  int64        `json:"created"`
	Model    string       `json:"model"`
	Choices  []chatChoice `json:"choices"`
	Hostname string       `json:"hostname"`
}

// chat answers as OpenAI's API for chat completions does, whole or as a
// stream: a token after each interval. The parameters in the URL are those of
// /sse; where the request has max_tokens, they are as many as that.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	tokens, interval, err := streamParameters(r.URL.Query())
	if err != nil {
		s.fail(w, http.StatusUnprocessableEntity, "%v", err)
		return
	}
	asked, err := readChat(r.Body)
	switch {
	case err != nil:
		s.fail(w, http.StatusBadRequest, "body: %v, want a request for a chat completion in JSON", err)
		return
	case asked.MaxTokens < 0 || asked.MaxTokens > maxEvents:
		s.fail(w, http.StatusUnprocessableEntity, "max_tokens: got %d, want a whole number 1..%d", asked.MaxTokens, maxEvents)
		return
	case asked.MaxTokens > 0:
		tokens = asked.MaxTokens
	}
	body := chatAnswer{ID: chatID, Object: "chat.completion", Created: time.Now().Unix(), Model: asked.Model, Hostname: s.config.Hostname}
	stop, started := "stop", false
	took, err := s.hold(r, func(ctx context.Context, start time.Time) error {
		if !asked.Stream {
			return s.until(ctx, start.Add(time.Duration(tokens)*interval))
		}
		started = true
		body.Object = "chat.completion.chunk"
		return s.sendEvents(ctx, w, start, tokens, interval, func(n int) any {
			choice := chatChoice{Delta: &chatMessage{Content: chatContent}}
			if n == 1 {
				choice.Delta.Role = "assistant"
			}
			if n == tokens {
				choice.Finish = &stop
			}
			body.Choices = []chatChoice{choice}
			return body
		})
	})
	switch {
	case started:
	case err != nil:
		s.gone(w)
	default:
		body.Choices = []chatChoice{{Message: &chatMessage{"assistant", strings.Repeat(chatContent, tokens)}, Finish: &stop}}
		setTiming(w, took)
		answer(w, http.StatusOK, body)
	}
}

func readChat(body io.Reader) (chatRequest, error) {
	var asked chatRequest
	err := json.NewDecoder(io.LimitReader(body, chatLimit)).Decode(&asked)
	return asked, err
}
