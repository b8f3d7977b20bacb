package tui

// blocks and segments are digits three lines high, for terminals with block
// characters and for all others.
var (
	blocks = map[rune][3]string{
		'0': {"█▀█", "█ █", "▀▀▀"}, '1': {" ▀█", "  █", "  ▀"}, '2': {"▀▀█", "█▀▀", "▀▀▀"}, '3': {"▀▀█", " ▀█", "▀▀▀"},
		'4': {"█ █", "▀▀█", "  ▀"}, '5': {"█▀▀", "▀▀█", "▀▀▀"}, '6': {"█▀▀", "█▀█", "▀▀▀"}, '7': {"▀▀█", "  █", "  ▀"},
		'8': {"█▀█", "█▀█", "▀▀▀"}, '9': {"█▀█", "▀▀█", "▀▀▀"}, '.': {" ", " ", "▀"},
	}
	segments = map[rune][3]string{
		'0': {" _ ", "| |", "|_|"}, '1': {"   ", "  |", "  |"}, '2': {" _ ", " _|", "|_ "}, '3': {" _ ", " _|", " _|"},
		'4': {"   ", "|_|", "  |"}, '5': {" _ ", "|_ ", " _|"}, '6': {" _ ", "|_ ", "|_|"}, '7': {" _ ", "  |", "  |"},
		'8': {" _ ", "|_|", "|_|"}, '9': {" _ ", "|_|", " _|"}, '.': {" ", " ", "."},
	}
)

// large writes a number three lines high, or in bold where it cannot.
func (s *styles) large(number string, w int) []string {
	digits := blocks
	if s.ascii {
		digits = segments
	}
	rows := make([]string, 3)
	for _, r := range number {
		d, ok := digits[r]
		if !ok {
			return []string{"", s.paint(strong, cut(number, w)), ""}
		}
		for i := range rows {
			rows[i] += d[i] + " "
		}
	}
	if width(rows[0]) > w {
		return []string{"", s.paint(strong, cut(number, w)), ""}
	}
	for i := range rows {
		rows[i] = s.paint(strong, rows[i])
	}
	return rows
}
