package secrets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/internal/testhome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// TestText: what a management server logs of a secret goes, and what tells the story stays.
func TestText(t *testing.T) {
	for have, want := range map[string]string{
		`GET /client/api?command=listVPCs&apiKey=CANARY&signature=CANARY%3D HTTP/1.1`: `GET /client/api?command=` +
			`listVPCs&apiKey=redacted&signature=redacted HTTP/1.1`,
		`{"vncPassword":"CANARY","name":"i-2-3-VM"}`:                           `{"vncPassword":redacted,"name":"i-2-3-VM"}`,
		"-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\nnext": "redacted\nnext",
		"deleting rule 22 failed":                                              "deleting rule 22 failed",
		`{"password":"CANARY\"CANARY`:                                          `{"password":redacted`,
		`{"password":"CANARY\`:                                                 `{"password":redacted`,
		`{\"secretKey\":\"CANARY`:                                              `{\"secretKey\":redacted`,
		"{\\\"SecretKey\\\":\\\"CANARY\nnext":                                  "{\\\"SecretKey\\\":redacted\nnext",
		"STATS AUTH u:CANARY":                                                  "STATS AUTH redacted",
		"Authorization: Basic CANARY":                                          "Authorization: redacted",
		"http://u:CANARY@h/":                                                   "http://redactedh/",
		"u:CANARY@unix(/s)/cloud":                                              "redacted/s)/cloud",
	} {
		assert.Equal(t, want, New().Text(have))
	}
	assert.True(t, Named("user_secret-key"))
	assert.False(t, Named("keyboard"))
}
