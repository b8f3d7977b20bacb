// Package report puts a session on paper: a finished run, a measurement, a
// recommendation and a comparison, as text and pages for people, and as JSON,
// JUnit and the formats of other load generators for programs. It computes
// nothing that the session did not, and writes only to the writers it is given.
package report
