package config

import "strings"

// barePlaceholder finds the first ${NAME} that stands without quotes inside braces or brackets. YAML takes its brace
// for the start of another mapping, and its parser then names neither the text nor the cause. ok is false when there is
// none.
func barePlaceholder(text string) (line int, placeholder string, ok bool) {
	line = 1
	depth := 0
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\n' {
			line++
		}
		switch {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && strings.ContainsRune(" \t\n,:[{", before(text, i)):
			quote = c
		case c == '#' && strings.ContainsRune(" \t\n", before(text, i)):
			rest := strings.IndexByte(text[i:], '\n')
			if rest < 0 {
				return 0, "", false
			}
			i += rest - 1
		case strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return 0, "", false
			}
			if depth > 0 {
				return line, text[i : i+end+1], true
			}
			i += end
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth = max(0, depth-1)
		}
	}
	return 0, "", false
}

// before is the character before a place of a text; at its start, a blank.
func before(text string, i int) rune {
	if i == 0 {
		return ' '
	}
	return rune(text[i-1])
}
