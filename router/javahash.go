package router

import "unicode/utf16"

// javaHash is String.hashCode: default cookie names carry it, and it may be negative.
func javaHash(s string) int32 {
	var h int32
	for _, c := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(c)
	}
	return h
}

// hashOrder drops doubles and puts texts into the order in which Java's HashSet walks them: the generator's rule lists
// are such sets. Buckets of eight and more, which Java turns into trees, keep insertion order all the same.
func hashOrder(texts []string) []string {
	seen := make(map[string]bool, len(texts))
	var set []string
	for _, t := range texts {
		if !seen[t] {
			seen[t] = true
			set = append(set, t)
		}
	}
	size := uint32(16)
	for uint32(len(set))*4 > size*3 {
		size *= 2
	}
	buckets := make([][]string, size)
	for _, t := range set {
		h := uint32(javaHash(t))
		i := (h ^ h>>16) & (size - 1)
		buckets[i] = append(buckets[i], t)
	}
	ordered := make([]string, 0, len(set))
	for _, b := range buckets {
		ordered = append(ordered, b...)
	}
	return ordered
}
