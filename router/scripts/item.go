package scripts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/stackproof/stackproof/router"
)

// Form is the way in which the management server delivers a push.
type Form int

const (
	// Direct is a file and a script of its own: every push to a running router.
	Direct Form = iota
	// Aggregated is one text file with all items of a router's start, taken apart by vr_cfg.sh, which collapses runs of
	// blanks: the same command leaves another file than a direct push.
	Aggregated
)

func (f Form) String() string {
	if f == Aggregated {
		return "aggregated"
	}
	return "direct"
}

// MarshalText writes the form by its name.
func (f Form) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// FormOf is the form in which the push was sent.
func FormOf(p router.Push) Form {
	if p.Aggregated {
		return Aggregated
	}
	return Direct
}

// item is the file that LoadBalancerConfigItem writes (LoadBalancerConfigItem.java, LoadBalancerRule.java@4.20.0.0).
type item struct {
	Rules  []itemRules `json:"rules"`
	Type   string      `json:"type"`
	Delete bool        `json:"delete_from_processed_cache"`
}

type itemRules struct {
	Configuration []string `json:"configuration"`
	Path          string   `json:"tmp_cfg_file_path"`
	Name          string   `json:"tmp_cfg_file_name"`
	Add           []string `json:"add_rules"`
	Remove        []string `json:"remove_rules"`
	Stat          []string `json:"stat_rules"`
	RouterIP      string   `json:"router_ip"`
	// Certificates: none at all where routers know none, an empty list where they do
	// (HAProxyConfigurator.java@4.22.0.0).
	Certificates *[]router.CertificateEntry `json:"ssl_certs,omitempty"`
}

// itemFile gives the name and the one line of the file for a rendered push. The scripts use neither the name of the new
// file nor the router's address.
func itemFile(p router.Push, r router.Rendered, now time.Time) (string, []byte, error) {
	var certificates *[]router.CertificateEntry
	if r.Certificates != nil {
		certificates = &r.Certificates
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(item{
		Rules: []itemRules{{
			Configuration: r.Config, Path: "/etc/haproxy/", Name: fmt.Sprintf("haproxy.cfg.new.%d", now.UnixMilli()),
			Add: list(r.AddRules), Remove: list(r.RemoveRules), Stat: list(r.StatRules),
			RouterIP: p.AccessDetails["router.ip"], Certificates: certificates,
		}},
		Type: "loadbalancer",
	})
	if err != nil {
		return "", nil, fmt.Errorf("writing the item file: %w", err)
	}
	return "load_balancer.json." + uuid.NewString(), bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// list is never null: the scripts walk over it.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// aggregate wraps the item as the Finish of an AggregationControlCommand does (VirtualRoutingResource.java@4.20.0.0).
func aggregate(name string, content []byte) []byte {
	return fmt.Appendf(nil, "#Apache CloudStack Virtual Router Config File\n<version>\n1.0\n</version>\n"+
		"<file>\n%s/%s\n%s\n</file>\n<script>\n%s/%s %s\n</script>\n",
		cachePath, name, content, cloudPath, entryPoint, name)
}
