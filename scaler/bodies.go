package scaler

import (
	"io"
	"sync"
)

// answerBody is the body of an answer. As long as something comes, the
// timeout begins anew; a replica that breaks off is told apart from a client
// that went away.
type answerBody struct {
	io.ReadCloser
	x *exchange
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.renew()
	}
	if err != nil && err != io.EOF {
		b.x.failed()
	}
	return n, err
}

// uploadBody is the body of a request. As long as it flows, the timeout begins
// anew: a replica cannot answer what it does not have yet. It notes when the
// client, not the replica, is why the request failed. Closing it does nothing,
// as the transport closes what it could not send, which may be sent yet; the
// proxy and the server close what is behind it.
type uploadBody struct {
	io.Reader
	x *exchange
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.x.reads.Lock()
	defer b.x.reads.Unlock()
	switch b.x.upload.Load() {
	case uploadOver:
		// The transport looks whether there is more than was announced, when
		// the answer may have begun, and the server has closed the body.
		return 0, io.EOF
	case uploadFailed:
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
	}
	return n, err
}

func (b *uploadBody) Close() error { return nil }

// emptyBody is a body without content that net/http cannot send twice. WriteTo
// saves the buffer that would be made to copy nothing.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error)         { return 0, io.EOF }
func (emptyBody) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (emptyBody) Close() error                     { return nil }

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
