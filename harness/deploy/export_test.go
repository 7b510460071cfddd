package deploy

import "encoding/json"

// Made is the id that a create's answer names, by the kind that deploy takes it for. False: deploy does not make this
// call.
func Made(command string, answer map[string]json.RawMessage) (id string, known bool, err error) {
	read := map[string]func(string, map[string]json.RawMessage) (string, error){
		"createZone": made[dataCenter], "createPod": made[pod], "addCluster": made[cluster], "addHost": made[host],
		"createStoragePool": made[storagePool], "createVlanIpRange": made[publicRange],
		"addImageStore": made[imageStore],
	}[command]
	if read == nil {
		return "", false, nil
	}
	id, err = read(command, answer)
	return id, true, err
}
