package profiles

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// curl is a command line of curl in the making of a task.
type curl struct {
	draft    Draft
	task     DraftTask
	url      string
	data     []string
	inQuery  bool
	fileBody string
	upload   bool // the file is put as it is
}

// curlFlag is what a flag of curl means to a scenario.
type curlFlag struct {
	names []string
	apply func(c *curl, value string) error // takes a value
	set   func(c *curl)                     // takes none
}

func curlNote(text string) func(*curl) {
	return func(c *curl) { c.draft.Notes = append(c.draft.Notes, text) }
}

// curlFlags are those that are understood.
var curlFlags = []curlFlag{
	{names: []string{"-X", "--request"}, apply: func(c *curl, v string) error { c.task.Method = strings.ToUpper(v); return nil }},
	{names: []string{"-H", "--header"}, apply: (*curl).header},
	{names: []string{"-d", "--data", "--data-ascii", "--data-binary"}, apply: (*curl).addData},
	{names: []string{"--data-raw"}, apply: func(c *curl, v string) error { c.data = append(c.data, v); return nil }},
	{names: []string{"-T", "--upload-file"}, apply: (*curl).setUpload},
	{names: []string{"--data-urlencode"}, apply: (*curl).addEncoded},
	{names: []string{"--json"}, apply: func(c *curl, v string) error {
		c.task.addHeader("Content-Type", "application/json")
		c.task.addHeader("Accept", "application/json")
		return c.addData(v)
	}},
	{names: []string{"-u", "--user"}, apply: func(c *curl, v string) error {
		c.task.addHeader("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(v)))
		return nil
	}},
	{names: []string{"-A", "--user-agent"}, apply: func(c *curl, v string) error { c.task.addHeader("User-Agent", v); return nil }},
	{names: []string{"-e", "--referer"}, apply: func(c *curl, v string) error { c.task.addHeader("Referer", v); return nil }},
	{names: []string{"-b", "--cookie"}, apply: func(c *curl, v string) error {
		if !strings.Contains(v, "=") {
			return fmt.Errorf("curl -b: got %q, want cookies such as name=value: a file of them is not read", v)
		}
		c.task.addHeader("Cookie", v)
		return nil
	}},
	{names: []string{"--url"}, apply: (*curl).setURL},
	{names: []string{"-G", "--get"}, set: func(c *curl) { c.inQuery = true }},
	{names: []string{"-I", "--head"}, set: func(c *curl) { c.task.Method = "HEAD" }},
	{names: []string{"-k", "--insecure"}, set: curlNote("curl -k: give -k to headroom run")},
	{names: []string{"-L", "--location"}, set: curlNote("curl -L: give --redirects 10 to headroom run, if redirects are part of the load")},
	{names: []string{"--http2", "--http2-prior-knowledge"}, set: curlNote("curl --http2: give --http2 to headroom run")},
	{names: []string{"-N", "--no-buffer", "-s", "--silent", "-S", "--show-error", "-v", "--verbose", "-i", "--include", "-f", "--fail", "-g", "--globoff", "-#", "--progress-bar", "--compressed", "--http1.1"}, set: func(*curl) {}},
	{names: []string{"-o", "--output", "-w", "--write-out", "-m", "--max-time", "--connect-timeout", "--retry"}, apply: func(*curl, string) error { return nil }},
}

// DraftOfCurl makes a scenario of a command line of curl, without the word
// curl itself.
func DraftOfCurl(args []string) (Draft, error) {
	c := &curl{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			if err := c.setURL(arg); err != nil {
				return Draft{}, err
			}
			continue
		}
		for arg != "" {
			flag, value, rest, err := findCurlFlag(arg)
			if err != nil {
				return Draft{}, err
			}
			if arg = rest; flag.set != nil {
				flag.set(c)
				continue
			}
			if value == "" {
				if i++; i == len(args) {
					return Draft{}, fmt.Errorf("curl: got %s without a value, want one", flag.names[0])
				}
				value = args[i]
			}
			if err := flag.apply(c, value); err != nil {
				return Draft{}, err
			}
		}
	}
	return c.finish()
}

// findCurlFlag takes the first flag of an argument such as -sSXPOST apart. The
// value is what follows it there, if it takes one; the rest are further flags.
func findCurlFlag(arg string) (flag curlFlag, value, rest string, err error) {
	name := arg
	if !strings.HasPrefix(arg, "--") {
		name = arg[:min(2, len(arg))]
	}
	i := slices.IndexFunc(curlFlags, func(f curlFlag) bool { return slices.Contains(f.names, name) })
	if i < 0 {
		return flag, "", "", fmt.Errorf("curl: got %s, which a scenario has nothing for: leave it out, or write the scenario by hand", name)
	}
	flag = curlFlags[i]
	switch after := arg[len(name):]; {
	case after == "":
	case flag.set != nil:
		rest = "-" + after
	default:
		value = after
	}
	return flag, value, rest, nil
}

func (c *curl) setURL(text string) error {
	if c.url != "" {
		return fmt.Errorf("curl: got the URLs %q and %q, want one", c.url, text)
	}
	if c.url = text; !strings.Contains(text, "://") {
		c.url = "http://" + text // as curl does
	}
	return nil
}

func (c *curl) header(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(strings.TrimSpace(name)) {
		return fmt.Errorf("curl -H: got %q, want NAME: VALUE", line)
	}
	if strings.TrimSpace(value) != "" { // without a value curl takes a header away
		c.task.addHeader(name, value)
	}
	return nil
}

func (c *curl) addData(text string) error {
	if file, ok := strings.CutPrefix(text, "@"); ok {
		if c.fileBody != "" || file == "-" {
			return fmt.Errorf("curl -d: got %q, want text, or one file", text)
		}
		c.fileBody = file
		return nil
	}
	c.data = append(c.data, text)
	return nil
}

func (c *curl) setUpload(file string) error {
	if c.fileBody != "" || file == "-" || file == "." {
		return fmt.Errorf("curl -T: got %q, want one file", file)
	}
	c.fileBody, c.upload = file, true
	return nil
}

func (c *curl) addEncoded(text string) error {
	name, value, named := strings.Cut(text, "=")
	switch {
	case !named && strings.Contains(text, "@"):
		return fmt.Errorf("curl --data-urlencode: got %q, want text: a file is not read", text)
	case !named:
		c.data = append(c.data, url.QueryEscape(text))
	case name == "":
		c.data = append(c.data, url.QueryEscape(value))
	default:
		c.data = append(c.data, name+"="+url.QueryEscape(value))
	}
	return nil
}

// finish makes the scenario of what was given.
func (c *curl) finish() (Draft, error) {
	if c.url == "" {
		return Draft{}, fmt.Errorf("curl: got no URL, want one")
	}
	if c.fileBody != "" && (len(c.data) > 0 || c.inQuery) {
		return Draft{}, fmt.Errorf("curl -d: got a file and text, want one of them")
	}
	if c.upload && strings.HasSuffix(c.url, "/") {
		c.url += url.PathEscape(filepath.Base(c.fileBody)) // as curl does
	}
	data := strings.Join(c.data, "&")
	if c.inQuery && data != "" {
		sign := "?"
		if strings.Contains(c.url, "?") {
			sign = "&"
		}
		c.url += sign + data
		data = ""
	}
	var err error
	if c.draft.Target, c.task.Path, err = splitURL(c.url); err != nil {
		return Draft{}, fmt.Errorf("curl: %w", err)
	}
	c.task.Body, c.task.File = verbatim(data), c.fileBody
	if body := data != "" || c.fileBody != ""; body && !c.upload && !c.task.has("Content-Type") {
		c.task.addHeader("Content-Type", "application/x-www-form-urlencoded")
	}
	switch {
	case c.task.Method != "":
	case c.upload:
		c.task.Method = "PUT"
	case data != "" || c.fileBody != "":
		c.task.Method = "POST"
	default:
		c.task.Method = "GET"
	}
	if !isToken(c.task.Method) {
		return Draft{}, fmt.Errorf("curl -X: got %q, want one such as GET or POST", c.task.Method)
	}
	c.draft.Tasks = []DraftTask{c.task}
	c.draft.warnOfSecrets()
	return c.draft, nil
}
