package profiles

import "strconv"

// ShortNames cuts names to width characters, 8 or more, where they are longer.
// It takes the cut out of the middle, since the ends tell most, or from where
// names that differ go on to differ; where no place serves them all, it
// numbers what it cuts.
func ShortNames(names []string, width int) []string {
	front := width / 2
	for i := range width { // from the middle to both of its sides in turn
		if front += i; i%2 == 1 {
			front -= 2 * i
		}
		if short, ok := shortened(names, func(int) (int, string) { return front, "" }, width); ok {
			return short
		}
	}
	short, _ := shortened(names, func(number int) (int, string) {
		mark := "~" + strconv.Itoa(number)
		return (width - len(mark)) / 2, mark
	}, width)
	return short
}

// shortened cuts the names after as many characters as cut says, by the number
// of the name among those that are too long, and puts its mark behind them. ok
// is false where two that differ do so no more.
func shortened(names []string, cut func(number int) (front int, mark string), width int) (short []string, ok bool) {
	of, numbers := make(map[string]string, len(names)), map[string]int{}
	short, ok = make([]string, len(names)), true
	for i, name := range names {
		short[i] = name
		if r := []rune(name); len(r) > width {
			if numbers[name] == 0 {
				numbers[name] = len(numbers) + 1
			}
			front, mark := cut(numbers[name])
			back := len(r) - (width - 1 - front - len(mark))
			short[i] = string(r[:front]) + "…" + string(r[back:]) + mark
		}
		if before, taken := of[short[i]]; taken && before != name {
			ok = false
		}
		of[short[i]] = name
	}
	return short, ok
}
