package kernel

import (
	"maps"
	"strconv"

	"github.com/stackproof/stackproof/release"
)

// ZoneID is the only zone's id in the database.
const ZoneID = 1

// Itoa is a number as text.
func Itoa(n int) string { return strconv.Itoa(n) }

// profile is the release that the server is one of.
type profile struct {
	version string
	knobs   release.Knobs
}

// Version is the release.
func (p *profile) Version() string { return p.version }

// On says whether a knob is switched on.
func (p *profile) On(knob release.Knob) bool { return p.knobs[knob] }

// Knobs is a copy of what is switched on.
func (p *profile) Knobs() release.Knobs { return maps.Clone(p.knobs) }

// NewField adds a field that 4.20 brought.
func (p *profile) NewField(out obj, name string, value any) {
	if !p.On(release.AnswerFieldsOld) {
		out[name] = value
	}
}

// LaterField adds a field that 4.20.1 brought.
func (p *profile) LaterField(out obj, name string, value any) {
	if p.On(release.AnswersAPIKeyAccess) {
		out[name] = value
	}
}

// MainField adds a field that the branch of the next release brought.
func (p *profile) MainField(out obj, name string, value any) {
	if p.On(release.AnswersOfMain) {
		out[name] = value
	}
}

// TaggedParams are ListParams of a command whose objects may have tags (Page filters by them).
func TaggedParams(own ...Param) []Param {
	return append(ListParams(own...), Param{Name: "tags", Type: "map", About: "List resources by tags (key/value " +
		"pairs)"})
}

// ListParams adds what all list commands take.
func ListParams(own ...Param) []Param {
	return append(own,
		Param{Name: "account", Type: "string", About: "list resources by account. Must be used with the domainId " +
			"parameter."},
		Param{Name: "domainid", Type: "uuid:domain", About: "list only resources belonging to the domain specified"},
		Param{Name: "projectid", Type: "uuid:project", About: "list objects by project; if projectid=-1 lists All VMs"},
		Param{Name: "listall", Type: "boolean", About: "If set to false, list only resources belonging to the " +
			"command's caller; if set to true - list resources that the caller is authorized to see."},
		Param{Name: "isrecursive", Type: "boolean", About: "defaults to false, but if true, lists all resources " +
			"from the parent specified by the domainId till leaves."},
		Param{Name: "keyword", Type: "string", About: "List by keyword"},
		Param{Name: "page", Type: "integer"}, Param{Name: "pagesize", Type: "integer"},
	)
}
