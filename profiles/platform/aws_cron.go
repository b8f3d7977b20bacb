package platform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"headroom/profiles"
)

// The cron expressions of Application Auto Scaling have a sixth field, the
// year, count the days of the week from 1 for Sunday, have no steps among
// these, and want a question mark for that of the two days that does not
// matter (Amazon EventBridge User Guide, Cron expressions reference).

var awsDays = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// toAWSCron writes an expression of five fields for AWS, with the names of the
// days. What it cannot say there is one thing: this day of the month or that
// of the week.
func toAWSCron(five string) (string, error) {
	f := strings.Fields(five)
	if len(f) != 5 {
		return "", fmt.Errorf("got %q, want five fields", five)
	}
	day, week := f[2], f[4]
	switch {
	case all(week):
		week = "?"
		if all(day) {
			day = "*"
		}
	case all(day):
		day = "?"
		named, err := namedDays(week)
		if err != nil {
			return "", err
		}
		week = named
	default:
		return "", fmt.Errorf("got %q, want a day of the month or of the week, but not both: AWS does not know the one or the other", five)
	}
	return fmt.Sprintf("cron(%s %s %s %s %s *)", f[0], f[1], day, strings.ToUpper(f[3]), week), nil
}

func all(field string) bool { return field == "*" || field == "?" }

// namedDays writes days of the week by their names.
func namedDays(field string) (string, error) {
	var out []string
	for _, part := range strings.Split(field, ",") {
		days, step, stepped := strings.Cut(part, "/")
		first, last, isRange := strings.Cut(days, "-")
		low, err := dayOf(first, 0)
		high := low
		switch {
		case all(days):
			low, high, err = 0, 6, nil
		case isRange && err == nil:
			high, err = dayOf(last, 0)
		case stepped: // from that day on
			high = 6
		}
		if err != nil {
			return "", err
		}
		switch {
		case stepped:
			n, err := strconv.Atoi(step)
			if err != nil || n < 1 {
				return "", fmt.Errorf("got a step of %q, want a whole number", step)
			}
			for d := low; d <= high; d += n {
				out = append(out, awsDays[d])
			}
		case high != low:
			out = append(out, awsDays[low]+"-"+awsDays[high])
		default:
			out = append(out, awsDays[low])
		}
	}
	return strings.Join(out, ","), nil
}

// dayOf is the day of the week, 0 for Sunday, that a name or a number stands
// for; sunday is that day's number.
func dayOf(s string, sunday int) (int, error) {
	for i, name := range awsDays {
		if strings.EqualFold(s, name) {
			return i, nil
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < sunday || n > sunday+6 {
		return 0, fmt.Errorf("got the day of the week %q, want one such as MON", s)
	}
	return n - sunday, nil
}

// fromAWSCron reads such an expression as five fields.
func fromAWSCron(s string) (string, error) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(s), "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	f := strings.Fields(inner)
	if !ok || !closed || len(f) != 6 || f[5] != "*" {
		return "", errors.New("not a cron expression of every year")
	}
	day, week := f[2], f[4]
	if (day == "?") == (week == "?") {
		return "", errors.New("not one day with a question mark")
	}
	if day == "?" {
		day = "*"
	}
	if week == "?" {
		week = "*"
	} else {
		var parts []string
		for _, part := range strings.Split(week, ",") {
			if part == "*" {
				parts = append(parts, part)
				continue
			}
			first, last, isRange := strings.Cut(part, "-")
			low, err := dayOf(first, 1)
			if err != nil {
				return "", err
			}
			number := strconv.Itoa(low)
			if isRange {
				high, err := dayOf(last, 1)
				if err != nil {
					return "", err
				}
				number += "-" + strconv.Itoa(high)
			}
			parts = append(parts, number)
		}
		week = strings.Join(parts, ",")
	}
	five := strings.Join([]string{f[0], f[1], day, f[3], week}, " ")
	if _, err := profiles.ParseCron(five); err != nil {
		return "", err
	}
	return five, nil
}
