// Package logtext makes plain lines of a management server's log out of what people have: packed files, files of other
// systems' editors, and lines that were wrapped, escaped or put into other lines on their way. It is not a reader of
// pushes and knows nothing of CloudStack. Before changing it know that a line which needs nothing must come out as it
// went in.
package logtext

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/ulikunitz/xz"
)

// layers is how often a packed file may hold another.
const layers = 3

// Unpack gives the text of a file that may be packed with gzip, xz or bzip2, in UTF-8 and without a byte order mark. A
// file whose end is missing is no error: cut says so, and what there is of it is given.
func Unpack(data []byte) (text []byte, cut bool, err error) {
	for range layers {
		form, open := packing(data)
		if open == nil {
			break
		}
		out, err := unpacked(data, open)
		switch {
		case len(out) > 0 && (errors.Is(err, io.ErrUnexpectedEOF) || form == "xz" && errors.Is(err, io.EOF)):
			cut = true
		case err != nil:
			return nil, false, fmt.Errorf("unpacking %s: %w", form, err)
		}
		data = out
	}
	return plain(data), cut, nil
}

func packing(data []byte) (form string, open func(io.Reader) (io.Reader, error)) {
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")):
		return "xz", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) }
	case bytes.HasPrefix(data, []byte("BZh")):
		return "bzip2", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }
	}
	return "", nil
}

func unpacked(data []byte, open func(io.Reader) (io.Reader, error)) ([]byte, error) {
	r, err := open(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// plain is UTF-8 without a byte order mark; a text in UTF-16, as PowerShell writes it, is told by its mark.
func plain(data []byte) []byte {
	little := bytes.HasPrefix(data, []byte{0xff, 0xfe})
	if !little && !bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return bytes.TrimPrefix(data, []byte("\ufeff"))
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		a, b := uint16(data[i]), uint16(data[i+1])
		if little {
			a, b = b, a
		}
		units = append(units, a<<8|b)
	}
	var text strings.Builder
	for _, r := range utf16.Decode(units) {
		text.WriteRune(r)
	}
	return []byte(text.String())
}
