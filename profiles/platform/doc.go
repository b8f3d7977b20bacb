// Package platform reads and writes the configuration of the platforms that a
// policy may be deployed to, one file each, says what is lost on the way, and
// decides as each of them decides. What a platform cannot say is refused with
// the nearest thing that it can; nothing is rounded in silence.
//
// It is pure: documents are bytes, files are the caller's business.
package platform
