package standing

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone"
)

// CmkProfile is the name of the profile in the cmk configuration.
const CmkProfile = "lab"

// write leaves a cmk profile and an env file in the lab's folder; both hold keys and are for their owner only.
func (a *Access) write(dir string) error {
	a.Cmk, a.Env = filepath.Join(dir, "cmk.ini"), filepath.Join(dir, "env")
	for file, text := range map[string]string{a.Cmk: a.cmk(), a.Env: a.env()} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing access data: %w", err)
		}
	}
	return nil
}

func (a *Access) cmk() string {
	return fmt.Sprintf(`[core]
asyncblock = true
timeout = 1800
output = json
verifycert = true
profile = %s

[%[1]s]
url = %s
username = %s
password = %s
domain = /
apikey = %s
secretkey = %s
`, CmkProfile, a.API, a.Username, a.Password, a.APIKey, a.SecretKey)
}

// env are the variables of stackproof and Terraform's provider, of cs and Ansible's collection, and of audit.
func (a *Access) env() string {
	var b strings.Builder
	for _, v := range [][2]string{
		{"CLOUDSTACK_API_URL", a.API}, {"CLOUDSTACK_API_KEY", a.APIKey}, {"CLOUDSTACK_SECRET_KEY", a.SecretKey},
		{"CLOUDSTACK_ENDPOINT", a.API}, {"CLOUDSTACK_KEY", a.APIKey}, {"CLOUDSTACK_SECRET", a.SecretKey},
		{"STACKPROOF_DSN", a.SelectDSN},
	} {
		fmt.Fprintf(&b, "export %s='%s'\n", v[0], strings.ReplaceAll(v[1], "'", `'\''`))
	}
	return b.String()
}

// Text is what a person reads.
func (a *Access) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, `lab zone %s is up (Ctrl-C ends it)
  start page   %s
  api          %s
  apikey       %s
  secretkey    %s
  integration  %s   (no authentication)
  login        %s / %s
  dsn          %s
  select dsn   %s
  log          %s
  cmk profile  %s
  env file     %s
`, a.Release, a.Page, a.API, a.APIKey, a.SecretKey, a.Integration, a.Username, a.Password, a.DSN, a.SelectDSN, a.Log,
		a.Cmk, a.Env)
	for i, p := range a.Proxies {
		fmt.Fprintf(&b, "  client %d     socks5://%s\n", i+1, p)
	}
	fmt.Fprintf(&b, `
Three things to try:
  cmk -c %s list zones
  curl '%s?command=listCapabilities&response=json'
`, a.Cmk, a.Integration)
	if len(a.Proxies) > 0 {
		fmt.Fprintf(&b, "  curl --socks5 %s http://ADDRESS:PORT/   (of an LB rule; each client is another source)\n",
			a.Proxies[0])
	} else {
		fmt.Fprintf(&b, "  . %s && stackproof audit\n", a.Env)
	}
	return b.String()
}

// packaged is what is switched on in the zone to open. Clients ask for capabilities first, and a packaged server with
// its settings answers; that a simulator's build does not (docs/facts/confirmed.md) would only be in their way.
func packaged(o zone.Options) (release.Knobs, error) {
	if o.Knobs != nil {
		return o.Knobs, nil
	}
	knobs, err := release.ProfileKnobs(o.Release)
	delete(knobs, release.CapabilitiesNullString)
	return knobs, err
}
