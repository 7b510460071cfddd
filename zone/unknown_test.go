package zone

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stackproof/stackproof/zone/kernel"
)

func TestUnknownParametersAreLogged(t *testing.T) {
	b := newBench(t, "4.20.1.0")
	var log bytes.Buffer
	b.z.kernel.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.call("listZones", "listall=true", "page=1", "pagesize=2")
	assert.Empty(t, log.String())
	b.call("listZones", "colour=x", "hue[0].key=a")
	assert.Contains(t, log.String(), kernel.UnknownParameters)
	assert.Contains(t, log.String(), `command=listZones parameters="colour hue"`)
}
