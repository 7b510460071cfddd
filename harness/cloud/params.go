package cloud

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // CloudStack signs calls with it // the signature of the API is HMAC-SHA1
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Params are the parameters of one call, by name. Values may be strings, bools, integers, []string (joined with
// commas), or nil (left out). Names are sent as given.
type Params map[string]any

// values renders the parameters as text.
func (p Params) values() (map[string]string, error) {
	out := make(map[string]string, len(p)+6)
	for name, v := range p {
		switch v := v.(type) {
		case nil:
		case string:
			out[name] = v
		case []string:
			out[name] = strings.Join(v, ",")
		case bool:
			out[name] = strconv.FormatBool(v)
		case int:
			out[name] = strconv.Itoa(v)
		case int64:
			out[name] = strconv.FormatInt(v, 10)
		default:
			return nil, fmt.Errorf("parameter %s: a %T cannot be sent: use text, bool, int, int64 or []string", name, v)
		}
	}
	return out, nil
}

// set adds a parameter unless its value is empty (nil, "", no elements). Zero numbers and false are not empty.
func (p Params) set(name string, value any) Params {
	switch v := value.(type) {
	case nil:
	case string:
		if v != "" {
			p[name] = v
		}
	case []string:
		if len(v) > 0 {
			p[name] = v
		}
	case *bool:
		if v != nil {
			p[name] = *v
		}
	case *int:
		if v != nil {
			p[name] = *v
		}
	default:
		p[name] = value
	}
	return p
}

// pairs adds a map parameter as name[i].name / name[i].value, the form that stickiness and autoscale parameters take.
// (cloudstack-go v2.19.0 sends .key in place of .name, which the server refuses.)
func (p Params) pairs(name string, pairs map[string]string) {
	keys := make([]string, 0, len(pairs))
	for k := range pairs {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		p[fmt.Sprintf("%s[%d].name", name, i)] = k
		p[fmt.Sprintf("%s[%d].value", name, i)] = pairs[k]
	}
}

// encode renders a query in the order that the signature needs.
func encode(values map[string]string) string {
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	slices.Sort(names)
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(n)
		b.WriteByte('=')
		b.WriteString(escape(values[n]))
	}
	return b.String()
}

// escape is what the server computes over a value before it compares signatures: Java's URLEncoder with + as %20. Go's
// QueryEscape differs from Java's in two characters: it escapes * and leaves ~
// (server/src/main/java/com/cloud/api/ApiServer.java@4.20.0.0).
func escape(s string) string {
	return javaEscapes.Replace(url.QueryEscape(s))
}

var javaEscapes = strings.NewReplacer("+", "%20", "%2A", "*", "~", "%7E")

// sign is the signature of a query in encode's form: HMAC-SHA1 over the lower-cased text, base64.
func sign(query, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(strings.ToLower(query)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// wire is the query as it is sent. Names are escaped here and not in encode, because the server signs them unescaped.
func wire(values map[string]string) string {
	v := make(url.Values, len(values))
	for n, s := range values {
		v.Set(n, s)
	}
	return v.Encode()
}
