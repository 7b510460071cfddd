package scripts

import "time"

// Names under which this program is started again.
const (
	nameFirst  = "stackproof-vr-root"      // composes the root, becomes the next
	nameInit   = "stackproof-vr"           // process 1 of the sandbox
	nameShim   = "stackproof-vr-systemctl" // systemctl for HAProxy
	envChild   = "STACKPROOF_VR_CHILD"
	controlFD  = 3
	selfPath   = "/opt/stackproof/bin/stackproof-vr"
	shimDir    = "/opt/stackproof/bin"
	shimPath   = shimDir + "/" + nameShim
	shimSocket = "/run/stackproof-vr.sock"
)

// Paths inside the sandbox, as on a router.
const (
	livePath    = "/etc/haproxy/haproxy.cfg"
	newPath     = "/etc/haproxy/haproxy.cfg.new"
	pidPath     = "/run/haproxy.pid"
	adminPath   = "/run/haproxy/admin.sock"
	notifyPath  = "/run/haproxy-notify.sock"
	cachePath   = "/var/cache/cloud"
	cloudPath   = "/opt/cloud"
	logPath     = "/var/log/cloud.log"
	haproxyLog  = "/var/log/haproxy.out"
	scriptOut   = "/var/log/apply.out"
	scriptErr   = "/var/log/apply.err"
	searchPath  = shimDir + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	tailOfFiles = 8 << 10 // bytes of each output that are kept for a report
)

// rootSpec is the first message: what the root is composed of. Paths are the host's.
type rootSpec struct {
	Cloud         string   `json:"cloud"`
	DefaultConfig string   `json:"default_config,omitempty"`
	Mounts        []string `json:"mounts,omitempty"` // directories bound read-only at the same path
	Self          string   `json:"self"`
	Interpreter   string   `json:"interpreter"`
	Cmdline       []byte   `json:"cmdline"` // /etc/cloudstack/cmdline.json
	OwnNetwork    bool     `json:"own_network"`
}

// request is every later message to process 1.
type request struct {
	Op string `json:"op"` // haproxy (the program to use), haproxy-state, systemctl, run

	// haproxy
	Program string `json:"program,omitempty"`

	// run
	File    string        `json:"file,omitempty"` // written before Args run
	Content []byte        `json:"content,omitempty"`
	Args    []string      `json:"args,omitempty"` // also of systemctl
	Env     []string      `json:"env,omitempty"`
	Limit   time.Duration `json:"limit,omitempty"`
}

// answer is process 1's reply. A filled Error means that nothing else holds.
type answer struct {
	Error  string `json:"error,omitempty"`
	Denied bool   `json:"denied,omitempty"` // the kernel refused what the sandbox needs

	Exit     int    `json:"exit,omitempty"`
	Signal   string `json:"signal,omitempty"`
	TimedOut bool   `json:"timed_out,omitempty"`
	Stdout   string `json:"stdout,omitempty"`
	Stderr   string `json:"stderr,omitempty"`
	Log      string `json:"log,omitempty"`
	Calls    []Call `json:"calls,omitempty"`
	Before   int    `json:"before,omitempty"` // worker, 0 for none
	After    int    `json:"after,omitempty"`
	Master   int    `json:"master,omitempty"`
	Workers  int    `json:"workers,omitempty"`
}

// Call is one call of systemctl by the scripts.
type Call struct {
	Args   []string `json:"args"`
	Exit   int      `json:"exit"`
	Output string   `json:"output,omitempty"` // what HAProxy said, when it refused
	Note   string   `json:"note,omitempty"`   // set when the wait for the new worker ended without one
}
