package result

import (
	"slices"
	"time"
)

// Finding is one fact that speaks against what a scenario expects. A fact that breaks several expectations is one
// finding:
// a row that was never closed breaks I1, I4 and I5, and is told once.
type Finding struct {
	// Says is the fact as a person would say it, in one sentence.
	Says string `json:"says"`
	// Subject is what the fact is about, e.g. "load balancer rule 22". Empty: nothing in particular.
	Subject string `json:"subject,omitempty"`
	// Class is the kind of failure.
	Class Class `json:"class,omitempty"`
	// Numbers are what the sentence rests on, a line each: ids, times, hours, expected and seen.
	Numbers []string `json:"numbers,omitempty"`
	// Codes are the invariants that the fact breaks, e.g. I1, I4, I5.
	Codes []string `json:"codes,omitempty"`
	// Seen is the same for a program, an element each expectation that the fact breaks. Known defects are held against
	// it, value by value; what a finding shows that is not in it cannot be known.
	Seen []Seen `json:"-"`
}

// Seen is what an expectation saw in place of what it expects. Which fields are set depends on the expectation.
type Seen struct {
	What   string    // the expectation, e.g. "I2" or "members"
	Of     string    // the part of the subject that it is about, e.g. a rule of a router
	At     time.Time // a wrong date
	Number float64   // a wrong amount or count
	Want   float64   // the amount or count that is right
	Text   string    // a wrong text
	Way    []bool    // how far something came, station by station
}

// sameFact says whether two findings tell of one fact: they say the same, or they are about the same subject and of one
// class, or the class of one follows from that of the other.
func (f Finding) sameFact(other Finding) bool {
	if f.Says == other.Says && f.Class == other.Class {
		return true
	}
	return f.Subject != "" && f.Subject == other.Subject && (f.Class == other.Class || f.Follows(other) ||
		other.Follows(f))
}

// Follows says whether the finding's class is brought about by that of another one.
func (f Finding) Follows(cause Finding) bool { return slices.Contains(f.Class.causes(), cause.Class) }

// AddFinding adds a finding to a list, or to the finding of the same fact that is in it already. The sentence of a
// cause stays, that of a consequence becomes a number: it says something new of the same fact.
func AddFinding(list []Finding, f Finding) []Finding {
	for i := range list {
		have := &list[i]
		if !have.sameFact(f) {
			continue
		}
		if have.Follows(f) {
			f.Numbers, f.Codes = union(f.Numbers, append([]string{have.Says}, have.Numbers...)),
				union(f.Codes, have.Codes)
			*have = f
			return list
		}
		if f.Follows(*have) {
			f.Numbers = append([]string{f.Says}, f.Numbers...)
		}
		have.Numbers, have.Codes = union(have.Numbers, f.Numbers), union(have.Codes, f.Codes)
		return list
	}
	f.Numbers, f.Codes = union(nil, f.Numbers), union(nil, f.Codes)
	return append(list, f)
}

// union appends those of more that are not in list.
func union(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
