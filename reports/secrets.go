package reports

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/secrets"
)

// scrubber takes secrets out of anything that JSON can hold.
type scrubber struct{ secrets.Scrubber }

// value takes secrets out of anything that JSON can hold.
func (s scrubber) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.Text(v)
	case []any:
		for i := range v {
			v[i] = s.value(v[i])
		}
	case map[string]any:
		for key, inner := range v {
			if text, is := inner.(string); is && text != "" && secrets.Named(key) {
				v[key] = secrets.Redacted
				continue
			}
			v[key] = s.value(inner)
		}
	}
	return v
}

// withoutSecrets is the run for others to read.
func withoutSecrets(run result.Run) (result.Run, error) {
	data, err := JSON(run)
	if err != nil {
		return run, err
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	var all any
	if err := in.Decode(&all); err != nil {
		return run, fmt.Errorf("take secrets out of a result: %w", err)
	}
	if data, err = json.Marshal(scrubber{secrets.New()}.value(all)); err != nil {
		return run, fmt.Errorf("take secrets out of a result: %w", err)
	}
	return result.Decode(bytes.NewReader(data))
}
