package zone

import (
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/zone/kernel"
)

var update = flag.Bool("update", false, "write the golden files")

// parametersOf are those that the Go client knows of a list command; nil for a command that it does not know.
func parametersOf(command string) []string {
	client := reflect.ValueOf(cloudstack.NewClient("http://x", "", "", false)).Elem()
	for i := range client.NumField() {
		service := client.Field(i)
		if service.Kind() != reflect.Interface || service.IsNil() {
			continue
		}
		method := service.Elem().MethodByName("New" + strings.ToUpper(command[:1]) + command[1:] + "Params")
		if !method.IsValid() {
			continue
		}
		params := method.Type().Out(0)
		var names []string
		for m := range params.NumMethod() {
			if name, setter := strings.CutPrefix(params.Method(m).Name, "Set"); setter {
				names = append(names, strings.ToLower(name))
			}
		}
		return names
	}
	return nil
}

// harmless are parameters of list commands that change how much is told of an object, and not which are listed, and
// those that all list commands take.
var harmless = []string{"account", "domainid", "isrecursive", "showicon", "showunique", "showresourceicon", "details",
	"retrieveonlyresourcecount", "fordisplay", "accumulate", "fetchlatest", "showcapacities", "showremoved",
	"showuserdata", "viewmode", "projectid", "listall", "page", "pagesize", "keyword"}

// TestFiltersThatTheLabLacks: every filter of a list command that a server has and the lab does not is in the table of
// those that are refused. A filter that is taken and not applied lists everything, which is the worst answer.
func TestFiltersThatTheLabLacks(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	var got strings.Builder
	known := 0
	for _, c := range b.z.kernel.Commands() {
		names := parametersOf(c.Name)
		if !strings.HasPrefix(c.Name, "list") || names == nil {
			continue
		}
		known++
		names = slices.DeleteFunc(names, func(n string) bool {
			own := slices.ContainsFunc(c.Params, func(p kernel.Param) bool { return p.Name == n })
			return own || slices.Contains(harmless, n)
		})
		if slices.Sort(names); len(names) > 0 {
			got.WriteString(c.Name + " " + strings.Join(names, " ") + "\n")
		}
	}
	require.Greater(t, known, 40, "list commands that the Go client knows")
	const file = "kernel/unfiltered.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String(), "go test ./zone -run TestFiltersThatTheLabLacks -update writes it anew")

	all := len(b.call("listVPCOfferings", "colour=blue", "projectid=-1")["vpcoffering"].([]any))
	require.Positive(t, all, "what no server has is only logged")
	one := b.call("listVPCOfferings", "displaytext=redundant vpc offering")["vpcoffering"].([]any)
	assert.Len(t, one, 1, "a filter by a field of the answer")
	e := b.refused("listVPCOfferings", "supportedservices=Lb")
	assert.Contains(t, e.Text, "supportedservices", "a filter that cannot be applied")
	assert.Equal(t, 431, e.Code)
}
