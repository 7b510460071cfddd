// Package model is the random run of U-26: a sequence of actions of several customers, drawn from a seed, carried out
// on a fresh site and held, step by step, against a model in memory of what must then be true. A failing sequence is
// cut down to the shortest one that still fails, which is written in words that can be read and run again.
//
// It is not a fuzzer of single calls: every action is one that the model knows the right outcome of, refusals included.
// The generator is its own and not a property-testing library's: a step here costs a real zone's time, so what is cut
// down is the list of steps, each step by its name, and never a stream of random numbers that would tell another story
// at each try; and the result must be readable, replayable from a file, and must run without a *testing.T.
//
// Before changing it know that a replay file is a promise: Version must change when a step begins to mean something
// else.
package model
