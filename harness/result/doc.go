// Package result holds what a run found: verdicts, evidence, cases and the run itself.
//
// It is the one form that the runner fills, the reports render and other tools read as JSON. It is not the runner, it
// holds no live objects, and it imports nothing but the standard library.
//
// Know before changing: the JSON names are a contract (schema 1) with other people's pipelines. Add fields, never
// rename or retype one; a change that an old reader would misread needs a new SchemaVersion.
package result
