package faults

import (
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
)

// mangleName leaves a rule the plain letters of its name.
func mangleName(params map[string]string) { params["name"] = strings.Map(plainLetter, params["name"]) }

func plainLetter(r rune) rune {
	if r > '~' || strings.ContainsRune("\"'<>&", r) {
		return -1
	}
	return r
}

// assign takes a refusal for success.
func (f *Faults) assign(next run) run {
	return func(k *kernel.Kernel, c *kernel.Call) (obj, error) {
		answer, err := next(k, c)
		if err != nil && f.On(fault.AssignedAgain) && kernel.AsAPI(err).Code == api.CodeInternal {
			return obj{"success": true}, nil
		}
		return answer, err
	}
}

// ofSecondNIC says whether an event is about a NIC that is not the default one.
func (f *Faults) ofSecondNIC(e kernel.UsageEvent) bool {
	id, ok := e.Fields["resource_name"].(string)
	if e.Type != "NETWORK.OFFERING.REMOVE" || !ok {
		return false
	}
	for _, vm := range f.compute.VMs.All() {
		for _, nic := range vm.NICs {
			if vm.ID == e.Resource && strconv.FormatInt(nic.ID, 10) == id {
				return !nic.Default
			}
		}
	}
	return false
}
