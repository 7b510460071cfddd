// Package cloud is the client of CloudStack's API that scenarios and targets use: signed calls, login sessions or the
// integration port, typed errors, a job poller with a strict budget, and a trace that can be served again.
//
// It is not a model of CloudStack: it keeps no state about objects and interprets no answers beyond decoding them. It
// never judges; what an answer means is the scenario's business.
//
// Know before changing: a change (create, delete, update ...) must never be sent twice without somebody having looked.
// That is why changes are POSTs (net/http repeats a GET by itself), why only errors that prove that nothing was carried
// out are repeated, and why a lost answer is *OutcomeUnknown. Secrets must not reach an error text or the trace: the
// trace removes them by field name and by value, and errors of net/http are stripped of their URL, which holds key and
// signature.
//
// Commands that the recorded answers (testdata/conformance) show cloudstack-go v2.19.0 to get wrong go through types of
// our own: listLBStickinessPolicies decodes to nothing, createLBStickinessPolicy sends its parameters under a wrong
// name, and listUsageTypes of 4.19 loses the type's number. All other lists go through its service interfaces with this
// client as their transport (Library); changes use its response types only, because its request side has neither
// contexts nor a way to say that a call must not be repeated, and its own job poller waits whole seconds.
package cloud
