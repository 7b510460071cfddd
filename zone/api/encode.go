package api

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// reply is what goes back: a body or an error under a root.
type reply struct {
	root string
	body map[string]any
	err  *Error
}

func (e *Error) body() map[string]any {
	b := map[string]any{"uuidList": []string{}, "errorcode": e.Code, "errortext": e.Text}
	if e.CSCode != 0 {
		b["cserrorcode"] = e.CSCode
	}
	return b
}

// write sends a reply in the form that the call asked for; XML is the default.
func (s *Server) write(w http.ResponseWriter, p Params, r reply) {
	status, body := http.StatusOK, r.body
	if r.err != nil {
		status, body = r.err.Code, r.err.body()
		if r.err.CSCode != 0 {
			w.Header().Set("X-Description", headerText(r.err.Text))
		}
	}
	if body == nil {
		body = map[string]any{}
	}
	var out []byte
	if form, _ := p.get("response"); strings.EqualFold(form, "json") {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		out = encodeJSON(r.root, body)
	} else {
		w.Header().Set("Content-Type", "text/xml;charset=utf-8")
		out = s.encodeXML(r.root, body)
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-XSS-Protection", "1;mode=block")
	w.WriteHeader(status)
	if _, err := w.Write(out); err != nil {
		s.opts.Log.Debug("writing an answer", "err", err)
	}
}

// headerText keeps what a header may hold.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func encodeJSON(root string, body map[string]any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{root: pruned(body)}); err != nil {
		return encodeJSON(root, (&Error{Code: CodeInternal, CSCode: CSCloudRuntime,
			Text: "Unable to serialize the answer: " + err.Error()}).body())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// pruned leaves out nil values, as CloudStack's serialiser does.
func pruned(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			if e != nil {
				out[k] = pruned(e)
			}
		}
		return out
	case []map[string]any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = pruned(e)
		}
		return out
	}
	return v
}

func (s *Server) encodeXML(root string, body map[string]any) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	fmt.Fprintf(&b, `<%s cloud-stack-version="%s">`, root, s.opts.Backend.Version())
	for _, k := range slices.Sorted(maps.Keys(body)) {
		xmlValue(&b, k, body[k])
	}
	fmt.Fprintf(&b, "</%s>", root)
	return b.Bytes()
}

// xmlValue writes a list as repeated elements of its key.
func xmlValue(b *bytes.Buffer, name string, v any) {
	if v == nil {
		return
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range rv.Len() {
			xmlValue(b, name, rv.Index(i).Interface())
		}
	case reflect.Map:
		fmt.Fprintf(b, "<%s>", name)
		keys := rv.MapKeys()
		slices.SortFunc(keys, func(a, c reflect.Value) int { return strings.Compare(a.String(), c.String()) })
		for _, k := range keys {
			xmlValue(b, k.String(), rv.MapIndex(k).Interface())
		}
		fmt.Fprintf(b, "</%s>", name)
	default:
		fmt.Fprintf(b, "<%s>", name)
		escapeXML(b, fmt.Sprint(v))
		fmt.Fprintf(b, "</%s>", name)
	}
}

func escapeXML(w io.Writer, s string) { _ = xml.EscapeText(w, []byte(s)) } // a bytes.Buffer takes everything
