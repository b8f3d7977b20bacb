// Package document reads and changes configuration files in YAML: strictly,
// naming every problem with its line, and without touching what it was not
// asked to change.
package document
