package pipelines

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type task struct {
	Desc string `yaml:"desc"`
	Cmd  string `yaml:"cmd"`
	Cmds []string
}

// tasks are those of the Taskfile, with all that they do as one text.
func tasks(t *testing.T) map[string]string {
	t.Helper()
	var f struct {
		Vars  map[string]string
		Tasks map[string]task
	}
	data, err := os.ReadFile(filepath.Join("..", "..", "Taskfile.yml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, &f))
	all := map[string]string{}
	for name, one := range f.Tasks {
		assert.NotEmpty(t, one.Desc, "task %s has no description", name)
		all[name] = one.Cmd + strings.Join(one.Cmds, "\n")
		for v, text := range f.Vars {
			all[name] = strings.ReplaceAll(all[name], "{{."+v+"}}", "{{."+v+"}} "+text)
		}
	}
	require.NotEmpty(t, all)
	return all
}

var (
	variable = regexp.MustCompile(`\b([A-Z]+)=`)
	install  = regexp.MustCompile(`^go install github\.com/go-task/task/v3/cmd/task@v[0-9.]+$`)
)

// onlyTasks checks that a command line is one task, that it exists, and that it takes the variables that are given.
func onlyTasks(t *testing.T, all map[string]string, line string) {
	t.Helper()
	words := strings.Fields(line)
	require.GreaterOrEqual(t, len(words), 2, line)
	require.Equal(t, "task", words[0], "a pipeline calls tasks only: %s", line)
	does, there := all[words[1]]
	require.True(t, there, "there is no task %s", words[1])
	before, _, _ := strings.Cut(line, " -- ")
	for _, v := range variable.FindAllStringSubmatch(before, -1) {
		assert.Contains(t, does, "."+v[1], "task %s takes no %s", words[1], v[1])
	}
}

func load(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into), file)
}

func TestGitHub(t *testing.T) {
	var w struct {
		Jobs map[string]struct {
			Strategy struct {
				Matrix struct{ Release []string }
			}
			Steps []struct{ Uses, Run, If string }
		}
	}
	load(t, "github-actions.yml", &w)
	all, runs, uploads := tasks(t), 0, 0
	for _, j := range w.Jobs {
		assert.NotEmpty(t, j.Strategy.Matrix.Release)
		for _, s := range j.Steps {
			if s.Run != "" {
				onlyTasks(t, all, s.Run)
				runs++
			}
			if strings.HasPrefix(s.Uses, "actions/upload-artifact@") {
				assert.Equal(t, "always()", s.If, "reports of a red run are the ones that matter")
				uploads++
			}
		}
	}
	assert.Equal(t, 1, runs)
	assert.Equal(t, 1, uploads)
}

type gitlabJob struct {
	Stage        string
	Script       []string
	BeforeScript []string `yaml:"before_script"`
	Parallel     struct{ Matrix []map[string][]string }
	Artifacts    struct {
		When    string
		Reports struct{ JUnit string }
	}
}

func TestGitLab(t *testing.T) {
	var jobs map[string]gitlabJob
	data, err := os.ReadFile("gitlab-ci.yml")
	require.NoError(t, err)
	var root map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal(data, &root))
	jobs = map[string]gitlabJob{}
	var stages []string
	for name, node := range root {
		if name == "stages" {
			require.NoError(t, node.Decode(&stages))
			continue
		}
		var j gitlabJob
		require.NoError(t, node.Decode(&j), name)
		jobs[name] = j
	}
	all := tasks(t)
	for name, j := range jobs {
		for _, line := range j.BeforeScript {
			assert.Regexp(t, install, line, "the only other command installs task")
		}
		for _, line := range j.Script {
			onlyTasks(t, all, line)
		}
		if !strings.HasPrefix(name, ".") {
			assert.Contains(t, stages, j.Stage, name)
			assert.Equal(t, "always", j.Artifacts.When, name)
		}
	}
	require.Len(t, jobs["night"].Parallel.Matrix, 1)
	shards := jobs["night"].Parallel.Matrix[0]["SHARD"]
	for i, s := range shards {
		assert.Equal(t, s, string(rune('0'+i))+"/"+string(rune('0'+len(shards))),
			"shards count from 0, and all are there")
	}
	assert.NotEmpty(t, shards)
	assert.Equal(t, jobs["night"].Parallel.Matrix[0]["RELEASE"], jobs["report"].Parallel.Matrix[0]["RELEASE"])
	assert.NotEmpty(t, jobs["report"].Artifacts.Reports.JUnit)
}

func TestJenkins(t *testing.T) {
	data, err := os.ReadFile("Jenkinsfile")
	require.NoError(t, err)
	text := string(data)
	assert.Equal(t, strings.Count(text, "{"), strings.Count(text, "}"))
	steps := regexp.MustCompile(`(?m)^\s*sh '(.*)'$`).FindAllStringSubmatch(text, -1)
	require.Len(t, steps, strings.Count(text, "sh '"))
	require.NotEmpty(t, steps)
	for _, s := range steps {
		onlyTasks(t, tasks(t), s[1])
	}
	assert.Contains(t, text, "junit testResults: 'out/nightly/*.xml'")
}

// job is batch/v1 Job as far as the manifest uses it; a key that is not here is taken for a misspelt one.
type job struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		CompletionMode string `yaml:"completionMode"`
		Completions    int
		Parallelism    int
		BackoffLimit   *int `yaml:"backoffLimit"`
		Template       struct {
			Spec struct {
				RestartPolicy   string `yaml:"restartPolicy"`
				SecurityContext struct {
					RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
					RunAsUser      int                   `yaml:"runAsUser"`
					FSGroup        int                   `yaml:"fsGroup"`
					SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
				} `yaml:"securityContext"`
				Containers []struct {
					Name, Image   string
					Command, Args []string
					Env           []struct {
						Name      string
						ValueFrom struct {
							FieldRef struct {
								FieldPath string `yaml:"fieldPath"`
							} `yaml:"fieldRef"`
						} `yaml:"valueFrom"`
					}
					Resources    struct{ Requests, Limits map[string]string }
					VolumeMounts []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct {
					Name                  string
					PersistentVolumeClaim struct {
						ClaimName string `yaml:"claimName"`
					} `yaml:"persistentVolumeClaim"`
				}
			}
		}
	}
}

func TestKubernetes(t *testing.T) {
	data, err := os.ReadFile("kubernetes-job.yaml")
	require.NoError(t, err)
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var jobs []job
	for {
		var j job
		err := d.Decode(&j)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		jobs = append(jobs, j)
	}
	require.Len(t, jobs, 2)
	all := tasks(t)
	for _, j := range jobs {
		assert.Equal(t, "batch/v1", j.APIVersion)
		assert.Equal(t, "Job", j.Kind)
		require.NotNil(t, j.Spec.BackoffLimit)
		assert.Zero(t, *j.Spec.BackoffLimit, "a verdict is never retried to green")
		pod := j.Spec.Template.Spec
		assert.Equal(t, "Never", pod.RestartPolicy)
		assert.True(t, pod.SecurityContext.RunAsNonRoot)
		require.Len(t, pod.Containers, 1)
		c := pod.Containers[0]
		onlyTasks(t, all, strings.Join(slices.Concat(c.Command, c.Args), " "))
		require.Len(t, c.VolumeMounts, 1)
		assert.Contains(t, c.Args, "OUT="+c.VolumeMounts[0].MountPath)
		require.Len(t, pod.Volumes, 1)
		assert.Equal(t, pod.Volumes[0].Name, c.VolumeMounts[0].Name)
	}
	zones := jobs[0].Spec
	assert.Equal(t, "Indexed", zones.CompletionMode)
	assert.Equal(t, zones.Completions, zones.Parallelism)
	assert.Contains(t, zones.Template.Spec.Containers[0].Args, "SHARD=$(JOB_COMPLETION_INDEX)/"+
		string(rune('0'+zones.Completions)))
	assert.Equal(t, "JOB_COMPLETION_INDEX", zones.Template.Spec.Containers[0].Env[0].Name)
	release := zones.Template.Spec.Containers[0].Args[1]
	assert.Contains(t, jobs[1].Spec.Template.Spec.Containers[0].Args, strings.Replace(release, "RELEASE=", "NAME=", 1))
}

// The image cannot be built where no registry can be reached; what can be read of its Dockerfile is held here.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	require.NoError(t, err)
	var user, last string
	for _, line := range strings.Split(string(data), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "FROM":
			last, user = rest, ""
			assert.Regexp(t, `^[a-z]+:[0-9a-z.-]+( AS [a-z]+)?$`, rest, "a base image has a tag that says what it is")
		case "USER":
			user = rest
		case "ADD":
			t.Errorf("COPY does what is wanted: %s", line)
		}
	}
	assert.Equal(t, "debian:12-slim", last)
	assert.Regexp(t, `^[1-9][0-9]*:[1-9][0-9]*$`, user, "it does not run as root")
	assert.Contains(t, string(data), " haproxy ")
	var mod string
	m, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	require.NoError(t, err)
	for _, line := range strings.Split(string(m), "\n") {
		if v, found := strings.CutPrefix(line, "go "); found {
			mod = v
		}
	}
	assert.Contains(t, string(data), "FROM golang:"+mod[:strings.LastIndex(mod, ".")]+"-",
		"the builder's Go is the module's")
}

// A release is not built while vulnerabilities are known or cannot be asked for.
func TestReleaseNeedsTheCheck(t *testing.T) {
	stub, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	script := []byte("#!/bin/sh\necho \"go $*\" >&2\nexit 3\n")
	require.NoError(t, os.WriteFile(filepath.Join(stub, "go"), script, 0o700))
	cmd := exec.Command("./release", "v0.0.0-test", dir)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "PATH="+stub+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	assert.Regexp(t, `go run golang\.org/x/vuln/cmd/govulncheck@v\S+ \./\.\.\.`, string(out))
	assert.Contains(t, string(out), "govulncheck did not pass")
	assert.NoDirExists(t, dir)
}

// Both architectures build without a C compiler; the version is inside and the sums are right.
func TestRelease(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("./release", "v0.0.0-test", dir)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "UNCHECKED=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := filepath.Join(dir, "stackproof-v0.0.0-test-linux-"+arch)
		f, err := elf.Open(path)
		require.NoError(t, err)
		assert.Equal(t, machine, f.Machine)
		libraries, err := f.ImportedLibraries()
		require.NoError(t, err)
		assert.Empty(t, libraries)
		require.NoError(t, f.Close())
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		line, err := os.ReadFile(path + ".sha256")
		require.NoError(t, err)
		assert.Equal(t, hex.EncodeToString(sum[:])+"  "+filepath.Base(path)+"\n", string(line))
		said, err := exec.Command(path, "version").Output()
		if err == nil {
			assert.Regexp(t, `^stackproof v0\.0\.0-test, commit [0-9a-f]{40}, go1\S+, linux/`+arch+"\n$", string(said))
		} else {
			assert.NotEqual(t, runtime.GOARCH, arch, "%v", err)
		}
	}
}
