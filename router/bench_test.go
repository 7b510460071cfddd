package router

import "testing"

func fifty(b *testing.B) (one, other Push) {
	one, other = recordedPush(b, "rules-50"), recordedPush(b, "rules-50")
	other.MaxConn = "5000"
	return one, other
}

func BenchmarkApplyFilesOnly50(b *testing.B) {
	one, other := fifty(b)
	r := newTestRouter(b, newTestHost(b), Options{OnDemand: true})
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			apply(b, r, one)
		} else {
			apply(b, r, other)
		}
	}
}

func BenchmarkApplyEqual50(b *testing.B) {
	one, _ := fifty(b)
	r := newTestRouter(b, newTestHost(b), Options{OnDemand: true})
	apply(b, r, one)
	for b.Loop() {
		apply(b, r, one)
	}
}

func BenchmarkReload50(b *testing.B) {
	one, other := fifty(b)
	r := newTestRouter(b, newTestHost(b), Options{})
	apply(b, r, other)
	for i := 0; b.Loop(); i++ {
		p := one
		if i%2 == 1 {
			p = other
		}
		if a := apply(b, r, p); a.Action != ActionReload {
			b.Fatalf("reload %d: %+v", i, a)
		}
	}
}

func BenchmarkStart50(b *testing.B) {
	one, _ := fifty(b)
	h := newTestHost(b)
	for b.Loop() {
		r := newTestRouter(b, h, Options{})
		apply(b, r, one)
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
