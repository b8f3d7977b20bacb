package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The list of worked cases has 28, and each is a test somewhere:
// go test ./... -run 'TestWorked/case_14'
func TestEveryWorkedCaseIsTested(t *testing.T) {
	named, found := regexp.MustCompile(`t\.Run\("case (\d+)\b`), map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == ".git" {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			found[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 28; n++ {
		if !found[fmt.Sprint(n)] {
			t.Errorf("no test is named case %d", n)
		}
		delete(found, fmt.Sprint(n))
	}
	if len(found) > 0 {
		t.Errorf("cases %v are none of the list", found)
	}
}
