// Package house_test holds the code to the sizes that CONTRIBUTING.md names.
package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root        = "../.."
	mostMethods = 40
	mostFiles   = 25
)

// TestSizes: no type has more methods, and no folder of the zone and the harness more files besides tests.
func TestSizes(t *testing.T) {
	code := map[string][]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			folder, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			text, err := os.ReadFile(path)
			code[folder] = append(code[folder], string(text))
			return err
		}
		return nil
	}))
	require.Greater(t, len(code), 40, "folders with code")
	for folder, files := range code {
		large, err := tooLarge(files)
		require.NoError(t, err, folder)
		assert.Empty(t, large, folder)
		room, _, _ := strings.Cut(folder, "/")
		if slices.Contains([]string{"zone", "harness"}, room) {
			assert.LessOrEqual(t, len(files), mostFiles, "files of %s", folder)
		}
	}
}

// TestOneMethodTooMany plants a type that is one method too large, beside one that is just not.
func TestOneMethodTooMany(t *testing.T) {
	var text strings.Builder
	text.WriteString("package p\ntype fits struct{}\ntype large[T any] struct{}\n")
	for i := range mostMethods {
		fmt.Fprintf(&text, "func (fits) m%d() {}\nfunc (l *large[T]) m%d() {}\n", i, i)
	}
	large, err := tooLarge([]string{text.String(), "package p\nfunc (l large[T]) one() {}\n"})
	require.NoError(t, err)
	assert.Equal(t, []string{"large has 41 methods"}, large)
}

// tooLarge names the types of a package's files that have too many methods.
func tooLarge(files []string) (large []string, err error) {
	methods := map[string]int{}
	for _, text := range files {
		file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[receiver(f.Recv.List[0].Type)]++
			}
		}
	}
	for name, n := range methods {
		if n > mostMethods {
			large = append(large, fmt.Sprintf("%s has %d methods", name, n))
		}
	}
	return large, nil
}

// receiver is the name of a method's type.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}
