package compute

import (
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// uploadSize is what every uploaded volume has: nothing is fetched from its URL.
const uploadSize int64 = 1 << 30

func uploadVolumeCommand() command {
	return command{
		Name: "uploadVolume", About: "Uploads a data disk.",
		Class: kernel.AdminClasses + "volume.UploadVolumeCmdByAdmin", Kind: kernel.AsyncCommand, Instance: "Volume",
		Event: "VOLUME.UPLOAD", Eventful: kernel.EventAsync, Action: "uploading volume", Params: []param{
			{Name: "name", Type: "string", Required: true, About: "the name of the volume"},
			{Name: "url", Type: "string", Required: true, About: "the URL of where the volume is hosted. " +
				"Possible URL include http:// and https://"},
			{Name: "format", Type: "string", Required: true, About: "the format for the volume. Possible values " +
				"include QCOW2, OVA, and VHD."},
			{Name: "zoneid", Type: "uuid:zone", Required: true, About: "the ID of the zone the volume is to be " +
				"hosted on"},
			{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
			{Name: "account", Type: "string", About: "an optional accountName. Must be used with domainId."},
			{Name: "domainid", Type: "uuid:domain", About: "an optional domainId."},
		},
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
			if err != nil {
				return nil, err
			}
			v := &Volume{ID: mgr.NextID("cloud.volumes"), UUID: mgr.UUID(), Name: c.Str("name"), Size: uploadSize,
				Account: owner, State: "Uploaded", Created: mgr.Now()}
			mgr.Volumes.Add(v)
			return obj{"volume": mgr.volumeAnswer(v)}, mgr.UsageEvent(c.Ctx, "VOLUME.UPLOAD", owner, kernel.ZoneID,
				v.ID, v.usageFields())
		},
	}
}
