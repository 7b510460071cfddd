package cloud

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReadINI: whatever cmk's configuration holds, it is read or refused, and no refusal of a profile shows its secret.
func FuzzReadINI(f *testing.F) {
	for _, s := range []string{"", "prompt = x\n[core]\nprofile = p\n\n[p]\nurl = http://h/client/api\napikey = K\n" +
		"secretkey = CANARYSECRET\nverifycert = false\n", "[p]\nusername=u\npassword=\"CANARYSECRET\"\ndomain=/\n",
		"\ufeff[p\n", "; a\n# b\n[ ]\n=\n", "[p]\nurl = `x`\nsecretkey = CANARYSECRET"} {
		f.Add([]byte(s))
	}
	const secret = "CANARYSECRET"
	f.Fuzz(func(t *testing.T, data []byte) {
		sections, err := readINI(bytes.NewReader(data))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		_ = profiles(sections)
		for name, values := range sections {
			values["secretkey"], values["password"] = secret, secret
			o, err := fromProfile("config", name, values)
			if err != nil {
				require.NotContains(t, err.Error(), secret)
				continue
			}
			require.NoError(t, o.Check())
		}
	})
}
