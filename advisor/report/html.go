package report

import (
	_ "embed"
	"html/template"
	"io"
)

// The page is one file: what it is made of is in it, and its policy lets it
// load nothing else.
var (
	//go:embed page.css
	style string
	//go:embed page.js
	script string
	//go:embed page.html
	layout string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"class": func(align string, column int) string {
		return map[byte]string{'l': "word", 'r': "number", 'n': "text", 't': "text"}[align[column]]
	},
	"head": func(g *grid, column int) string { return g.Rows[0][column] },
	"body": func(g *grid) [][]string { return g.Rows[1:] },
}).Parse(layout))

// WriteHTML writes a run as one file for a browser, which needs nothing else.
func WriteHTML(w io.Writer, r Run) error { return newPage(r).html(w) }

func (p page) html(w io.Writer) error {
	return pageTemplate.Execute(w, struct {
		page
		Style  template.CSS
		Script template.JS
	}{p, template.CSS(style), template.JS(script)})
}
