package usage_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/usage"
)

// TestEventFieldsAgreeWithTheRecordings holds the table of columns against every recorded event: a column without a
// description must be NULL, one with a description must not, unless the description says so.
func TestEventFieldsAgreeWithTheRecordings(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(conformanceDir(), "4.*", "tables", "cloud.usage_event.tsv"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	fields := usage.EventFields()
	for _, path := range found {
		for _, event := range readTable(t, path) {
			at := slices.IndexFunc(fields, func(f usage.EventField) bool {
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
