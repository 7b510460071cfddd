// Package pipelines holds ready pipelines that a fork of CloudStack can copy, and the tests that keep them right.
//
// It is no program: the pipelines call tasks of Taskfile.yml, which anybody can type. GitHub's is also read by
// actionlint (ci/lint). The Kubernetes manifest is held against the fields written down in the test, since the schemas
// that kubeconform wants come from the network.
//
// Know before changing: a task that a pipeline names must be there, and its variables too; the tests look.
package pipelines
