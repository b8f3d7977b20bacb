package scaler

import (
	"errors"
	"io"
	"net"
	"sync"
)

// answerBody is the body of an answer. As long as something comes, the
// timeout begins anew; a replica that breaks off is told apart from a client
// that went away; one that has sent everything is free. What came before the
// replica pauses is not kept back from the client.
type answerBody struct {
	io.ReadCloser
	x        *exchange
	balancer *balancer
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.x.kept.Load() && b.x.rest > 0 {
		if err := b.x.FlushError(); err != nil {
			return 0, err
		}
	}
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.renew()
	}
	switch err {
	case nil:
	case io.EOF:
		b.x.finish(b.balancer)
	default:
		b.x.failed()
	}
	return n, err
}

// uploadBody is the body of a request. As long as it flows, the timeout begins
// anew: a replica cannot answer what it does not have yet. It notes when the
// client, not the replica, is why the request failed. Closing it does nothing:
// the server closes what is behind it.
type uploadBody struct {
	io.Reader
	x *exchange
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.x.reads.Lock()
	defer b.x.reads.Unlock()
	if b.x.upload.Load() == uploadFailed {
		return 0, io.ErrUnexpectedEOF
	}
	b.x.upload.Store(uploadAwaited)
	n, err := b.Reader.Read(p)
	if n > 0 {
		b.x.renew()
	}
	switch err {
	case nil:
		b.x.upload.Store(uploadOpen)
	case io.EOF:
		b.x.upload.Store(uploadOver)
	default:
		b.x.upload.Store(uploadFailed)
		if lost := net.Error(nil); err != io.ErrUnexpectedEOF && !errors.As(err, &lost) && !errors.Is(err, net.ErrClosed) {
			b.x.giveUp(errMalformed)
		}
	}
	return n, err
}

func (b *uploadBody) Close() error { return nil }

// buffers are reused to copy answers.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return v[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
