package usage_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEventFieldsAgreeWithTheRecordings holds the table of columns against every recorded event: a column without a
// description must be NULL, one with a description must not, unless the description says so.
func TestEventFieldsAgreeWithTheRecordings(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(conformanceDir(), "4.*", "tables", "cloud.usage_event.tsv"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	fields := eventFields()
	for _, path := range found {
		for _, event := range readTable(t, path) {
			at := slices.IndexFunc(fields, func(f eventField) bool {
				return slices.Contains(f.Types,
					event["type"])
			})
			require.GreaterOrEqual(t, at, 0, "no fields for %s (%s)", event["type"], path)
			f := fields[at]
			for column, described := range map[string]string{"resource_id": f.ResourceID,
				"resource_name": f.ResourceName,
				"offering_id":   f.OfferingID, "template_id": f.TemplateID, "size": f.Size,
				"resource_type": f.ResourceType, "virtual_size": f.VirtualSize} {
				if strings.Contains(described, "NULL") {
					continue
				}
				require.Equal(t, described == "", event[column] == "NULL", "%s.%s is %q in event %s of %s",
					event["type"], column, event[column], event["id"], path)
			}
		}
	}
}

// eventField says how one kind of usage_event row is filled. Columns that are not named are NULL; type, account_id (the
// owner), created and zone_id are in every row.
type eventField struct {
	// Types are the event types that are filled this way.
	Types []string
	// ResourceID, ResourceName, OfferingID, TemplateID, Size, ResourceType, VirtualSize say what the column holds;
	// empty is NULL. A column marked "(not read)" is written by the management server and ignored by the usage server.
	ResourceID, ResourceName, OfferingID, TemplateID, Size, ResourceType, VirtualSize string
	// Details are the names in usage_event_details that are read.
	Details []string
	// Note is what else must be known to write the event.
	Note string
}

// eventFields is what the handlers read of each kind of event, and with it how an event must be written. Kinds that the
// recordings hold are as recorded on 4.19.1.0 and 4.20.0.0.
func eventFields() []eventField {
	dynamic := []string{"cpuNumber", "cpuSpeed", "memory"}
	return []eventField{
		{Types: []string{"VM.CREATE", "VM.START", "VM.STOP", "VM.DESTROY", "VM.UPGRADE", "VM.DYNAMIC.SCALE"},
			ResourceID: "vm_instance.id", ResourceName: "VM name", OfferingID: "service offering",
			TemplateID: "template", ResourceType: "hypervisor type, such as Simulator", Details: dynamic,
			Note: "details only for a dynamic offering; STOP and DESTROY read resource_id alone"},
		{Types: []string{"VOLUME.CREATE", "VOLUME.RESIZE", "VOLUME.UPLOAD"}, ResourceID: "volume",
			ResourceName: "volume name (not read)", OfferingID: "disk offering, NULL for a root volume",
			TemplateID: "template of a root volume", Size: "bytes"},
		{Types: []string{"VOLUME.DELETE"}, ResourceID: "volume", ResourceName: "volume name (not read)"},
		{Types: []string{"NET.IPASSIGN", "NET.IPRELEASE"}, ResourceID: "user_ip_address.id",
			ResourceName: "the address",
			TemplateID:   "1 for a system address, else 0", Size: "1 for source NAT, else 0",
			ResourceType: "VirtualNetwork (not read)", Details: []string{"hidden"},
			Note: "IPRELEASE closes by account and resource_name"},
		{Types: []string{"LB.CREATE", "LB.DELETE"}, ResourceID: "firewall_rules.id of the rule"},
		{Types: []string{"NET.RULEADD", "NET.RULEDELETE"}, ResourceID: "firewall_rules.id of the rule",
			Note: "zone_id of NET.RULEDELETE is 0"},
		{Types: []string{"NETWORK.OFFERING.ASSIGN", "NETWORK.OFFERING.REMOVE"}, ResourceID: "vm_instance.id",
			ResourceName: "nics.id as text", OfferingID: "network offering", Size: "1 for the default NIC, else 0",
			Note: "size of NETWORK.OFFERING.REMOVE is 0"},
		{Types: []string{"NETWORK.CREATE", "NETWORK.DELETE"}, ResourceID: "networks.id",
			ResourceName: "network name (not read)", OfferingID: "network offering"},
		{Types: []string{"NETWORK.UPDATE"}, ResourceID: "networks.id",
			ResourceName: "network name, NULL for a system network (not read)",
			OfferingID:   "network offering", ResourceType: "network state, such as Implemented"},
		{Types: []string{"VPC.CREATE", "VPC.DELETE"}, ResourceID: "vpc.id", ResourceName: "VPC name (not read)"},
		{Types: []string{"VPN.USER.ADD", "VPN.USER.REMOVE"}, ResourceID: "VPN user", ResourceName: "user name",
			Note: "REMOVE closes with the time of the job, not of the event"},
		{Types: []string{"TEMPLATE.CREATE", "TEMPLATE.COPY"}, ResourceID: "template", TemplateID: "source template",
			Size: "bytes, at least 1", VirtualSize: "bytes"},
		{Types: []string{"ISO.CREATE", "ISO.COPY"}, ResourceID: "ISO", Size: "bytes"},
		{Types: []string{"TEMPLATE.DELETE", "ISO.DELETE"}, ResourceID: "template or ISO",
			Note: "closes in zone_id only"},
		{Types: []string{"SNAPSHOT.CREATE"}, ResourceID: "snapshot", Size: "bytes"},
		{Types: []string{"SNAPSHOT.DELETE"}, ResourceID: "snapshot"},
		{Types: []string{"VMSNAPSHOT.CREATE"}, ResourceID: "vm_instance.id", OfferingID: "disk offering",
			TemplateID: "volume",
			Size:       "bytes", Details: []string{"vmSnapshotId"}},
		{Types: []string{"VMSNAPSHOT.DELETE"}, ResourceID: "vm_instance.id", OfferingID: "disk offering"},
		{Types: []string{"VMSNAPSHOT.ON_PRIMARY"}, ResourceID: "vm_instance.id", ResourceName: "snapshot name",
			Size: "physical bytes", VirtualSize: "virtual bytes", Details: []string{"vmSnapshotId"}},
		{Types: []string{"VMSNAPSHOT.OFF_PRIMARY"}, ResourceID: "vm_instance.id", ResourceName: "snapshot name"},
		{Types: []string{"BACKUP.OFFERING.ASSIGN"}, ResourceID: "vm_instance.id", OfferingID: "backup offering"},
		{Types: []string{"BACKUP.OFFERING.REMOVE"}, ResourceID: "vm_instance.id"},
		{Types: []string{"BACKUP.OFFERING.BACKUPS.DEL"}, ResourceID: "vm_instance.id", OfferingID: "backup offering"},
		{Types: []string{"BACKUP.USAGE.METRIC"}, ResourceID: "vm_instance.id", Size: "bytes",
			VirtualSize: "protected bytes"},
		{Types: []string{"SG.ASSIGN", "SG.REMOVE"}, ResourceID: "vm_instance.id", OfferingID: "security group"},
	}
}
