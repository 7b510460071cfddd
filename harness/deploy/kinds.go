package deploy

// The kinds of objects that steps look at, each with the fields that its list and its create answer
// (testdata/conformance/real-lists.jsonl). Fields of one name differ in form between kinds: a pod's startip is a list,
// a public range's is a text.

// object is anything with an id.
type object struct{ ID string }

func (o object) id() string { return o.ID }

// identified is an object of any kind.
type identified interface{ id() string }

// titled is an object that is found by its name alone.
type titled struct {
	object
	Name string
}

func (t titled) title() string { return t.Name }

type (
	dataCenter struct {
		titled
		AllocationState string
	}
	physicalNetwork struct {
		titled
		State, VLAN string
	}
	trafficType struct {
		object
		TrafficType string
	}
	provider struct {
		titled
		State string
	}
	element struct {
		object
		Enabled bool
	}
	// pod has as many ranges as its lists have entries.
	pod struct {
		titled
		StartIP, EndIP, VLANID, ForSystemVMs []string
	}
	cluster struct{ titled }
	host    struct {
		object
		ClusterID string
	}
	storagePool struct{ titled }
	publicRange struct {
		object
		StartIP string
	}
	imageStore struct{ object }
	setting    struct {
		titled
		Value     string
		IsDynamic bool
	}
	systemVM struct {
		object
		State string
	}
	template struct {
		object
		IsReady      bool
		TemplateType string
	}
)

// ranges says where the pod's system addresses lie.
func (p pod) ranges() []string {
	var all []string
	for i, first := range p.StartIP {
		last := first
		if i < len(p.EndIP) && p.EndIP[i] != "" {
			last = p.EndIP[i]
		}
		all = append(all, first+" - "+last)
	}
	return all
}
