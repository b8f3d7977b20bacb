package tui

import (
	"io"
	"os"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"headroom/tui/hush"
)

func init() { hush.End() }

// backgroundMsg is what the terminal says of its background.
type backgroundMsg struct{ dark bool }

// askBackground asks a terminal for the colour of its background. Nobody waits
// for the answer; until it comes, the background is taken for what COLORFGBG
// says, or for dark.
func askBackground(out io.Writer) tea.Cmd {
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func() tea.Msg {
		_, _ = io.WriteString(out, ansi.RequestBackgroundColor)
		return nil
	}
}

// backgroundAnswer picks the answer out of the keys, which Bubble Tea takes it
// for: ESC ] is a key with alt, the text are letters, and BEL or ESC \ ends it.
// It is one filter of one program.
type backgroundAnswer struct {
	begun bool
	text  string
}

func (b *backgroundAnswer) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	k, ok := msg.(tea.KeyMsg)
	switch {
	case !ok:
		return msg
	case k.Alt && string(k.Runes) == "]":
		*b = backgroundAnswer{begun: true}
		return nil
	case !b.begun:
		return msg
	case k.Type == tea.KeyRunes && !k.Alt && isBegin(b.text+string(k.Runes)):
		b.text += string(k.Runes)
		return nil
	}
	text := b.text
	*b = backgroundAnswer{}
	if k.Type != tea.KeyCtrlG && (!k.Alt || string(k.Runes) != `\`) {
		return msg // no answer: somebody pressed these keys
	}
	if c := ansi.XParseColor(strings.TrimPrefix(text, backgroundPrefix)); c != nil {
		red, green, blue, _ := c.RGBA()
		return backgroundMsg{dark: 2126*red+7152*green+722*blue < 10000*0xffff/2} // luma of ITU-R BT.709
	}
	return nil
}

const backgroundPrefix = "11;"

// isBegin reports whether an answer may begin with text.
func isBegin(text string) bool {
	return strings.HasPrefix(text, backgroundPrefix) || strings.HasPrefix(backgroundPrefix, text)
}
