package zone

// uploadSize is what every uploaded volume has: nothing is fetched from its URL.
const uploadSize int64 = 1 << 30

func uploadVolumeCommand() command {
	return command{
		name: "uploadVolume", about: "Uploads a data disk.", class: adminClasses + "volume.UploadVolumeCmdByAdmin", kind: asyncCommand, instance: "Volume",
		event: "VOLUME.UPLOAD", eventful: eventAsync, action: "uploading volume", params: []param{
			{"name", "string", true, "the name of the volume"}, {"url", "string", true, "the URL of where the volume is hosted. Possible URL include http:// and https://"},
			{"format", "string", true, "the format for the volume. Possible values include QCOW2, OVA, and VHD."}, {"zoneid", "uuid:zone", true, "the ID of the zone the volume is to be hosted on"},
			{"account", "string", false, "an optional accountName. Must be used with domainId."}, {"domainid", "uuid:domain", false, "an optional domainId."},
		},
		run: func(z *Zone, c *call) (obj, error) {
			owner, err := ownerAccount(z, c)
			if err != nil {
				return nil, err
			}
			z.ids["cloud.volumes"]++
			v := &Volume{ID: z.ids["cloud.volumes"], UUID: z.uuid(), Name: c.str("name"), Size: uploadSize, Account: owner, State: "Uploaded", Created: z.now()}
			z.volumes = append(z.volumes, v)
			return obj{"volume": z.volumeAnswer(v)}, z.usageEvent(c.ctx, "VOLUME.UPLOAD", owner, zoneID, v.ID, v.usageFields())
		},
	}
}
