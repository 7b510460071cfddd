package damage

import "cmp"

// run is one usage run: events up to end are handled in order, then records are written for each window.
func (h *History) run(end int64) {
	start := h.Start.Truncate(h.Window).UnixMilli()
	if n := len(h.jobs); n > 0 {
		start = h.jobs[n-1].end + 1
	}
	todo := append([]int(nil), h.stuck...)
	for h.pending < len(h.events) && h.events[h.pending].at < end {
		todo = append(todo, h.pending)
		h.pending++
	}
	if len(todo) > 0 {
		start = min(start, h.events[todo[0]].at*1000)
	}
	h.open, h.journal = true, nil
	for _, i := range todo {
		h.set(&h.events[i].processed)
		if !h.handle(&h.events[i]) {
			h.rollback()
		}
	}
	h.open, h.journal = false, nil
	h.stuck = h.stuck[:0]
	for _, i := range todo {
		if !h.events[i].processed {
			h.stuck = append(h.stuck, i)
		}
	}
	h.jobs = append(h.jobs, job{start, end*1000 - 1})
	h.bill(start/1000, end)
}

// set marks an event processed, in the transaction if one is open.
func (h *History) set(processed *bool) {
	*processed = true
	h.undo(func() { *processed = false })
}

func (h *History) undo(f func()) {
	if h.open {
		h.journal = append(h.journal, f)
	}
}

// rollback takes back what the transaction did; ids stay used. The rest of the run has no transaction.
func (h *History) rollback() {
	for i := len(h.journal) - 1; i >= 0; i-- {
		h.journal[i]()
	}
	h.open, h.journal = false, nil
}

// handle is what an event does to the helper tables; false is a violated key.
func (h *History) handle(e *event) bool {
	switch e.kind {
	case "LB.CREATE":
		h.insert(LB, e, 0)
	case "NET.RULEADD":
		h.insert(PF, e, 0)
	case "LB.DELETE":
		h.shutRule(LB, e)
	case "NET.RULEDELETE":
		h.shutRule(PF, e)
	case "NET.IPASSIGN":
		h.insert(Address, e, 0)
	case "NET.IPRELEASE":
		h.shut(Address, e)
	case "VM.CREATE":
		h.insert(VM, e, 0)
	case "VM.DESTROY":
		h.shut(VM, e)
	case "VM.START":
		h.insert(Running, e, 0)
	case "VM.STOP":
		h.shut(Running, e)
	case "NETWORK.OFFERING.ASSIGN":
		h.insert(NIC, e, e.resource)
	case "NETWORK.OFFERING.REMOVE":
		h.shut(NIC, e)
	case "VOLUME.CREATE":
		h.insert(Volume, e, 0)
		if e.vm != 0 { // the second row has the same volume and second
			h.last[Volume]++
			return false
		}
	case "VOLUME.DELETE":
		h.shut(Volume, e)
	}
	return true
}

// table is where rows of a kind get their ids: allocated and running VMs share one.
func table(kind string) string {
	if kind == Running {
		return VM
	}
	return kind
}

func (h *History) insert(kind string, e *event, part int64) {
	h.last[table(kind)]++
	id := h.Base + h.last[table(kind)]
	if h.index[kind] == nil {
		h.index[kind] = map[int64]int{}
	}
	h.index[kind][id] = len(h.tables[kind])
	h.tables[kind] = append(
		h.tables[kind],
		helper{id: id, account: e.account, resource: e.resource, part: part, opened: e.at},
	)
	h.undo(func() {
		delete(h.index[kind], id)
		h.tables[kind] = h.tables[kind][:len(h.tables[kind])-1]
	})
}

// shutRule finds a row by one id and closes by the other.
func (h *History) shutRule(kind string, e *event) {
	if h.Handler != ByHelperID {
		h.shut(kind, e)
		return
	}
	i, found := h.index[kind][e.resource]
	if !found || h.tables[kind][i].account != e.account || h.tables[kind][i].closed != 0 {
		return
	}
	victim := h.tables[kind][i].resource
	for j := range h.tables[kind] {
		if r := &h.tables[kind][j]; r.account == e.account && r.resource == victim && r.closed == 0 {
			h.close(kind, j, e)
		}
	}
}

func (h *History) shut(kind string, e *event) {
	for j := range h.tables[kind] {
		if r := &h.tables[kind][j]; r.account == e.account && r.resource == e.resource && r.closed == 0 {
			h.close(kind, j, e)
		}
	}
}

func (h *History) close(kind string, j int, e *event) {
	r := &h.tables[kind][j]
	r.closed = e.at
	if r.resource != e.resource {
		r.crossedBy = e.resource
	}
	h.undo(func() { h.tables[kind][j].closed, h.tables[kind][j].crossedBy = 0, 0 })
}

// usageTypes are those of the records.
func usageType(kind string) int {
	return map[string]int{LB: 11, PF: 12, Address: 3, VM: 2, Running: 1, NIC: 13, Volume: 6}[kind]
}

// kinds in the order in which they are billed.
func kinds() []string { return []string{Running, VM, Volume, LB, PF, NIC, Address} }

type billed struct {
	kind                    string
	account, resource, part int64
}

// bill writes the records of all windows of a run: durations are summed by resource, in 32-bit hours, with the
// millisecond more that the usage server counts.
func (h *History) bill(start, end int64) {
	window := int64(h.Window.Seconds())
	for from := start; from < end; {
		to := min((from/window+1)*window, end)
		sums, order := map[billed]int64{}, []billed{}
		for _, kind := range kinds() {
			for _, r := range h.tables[kind] {
				until := to*1000 - 1
				if r.closed != 0 {
					until = min(until, r.closed*1000)
				}
				ms := until - max(r.opened, from)*1000 + 1
				if ms <= 0 || r.closed != 0 && r.closed < from {
					continue
				}
				k := billed{kind, r.account, r.resource, r.part}
				if _, there := sums[k]; !there {
					order = append(order, k)
				}
				sums[k] += ms
			}
		}
		for _, k := range order {
			h.records = append(
				h.records,
				record{
					k.account,
					k.resource,
					k.part,
					usageType(k.kind),
					from,
					to,
					float64(float32(sums[k]) / 1000 / 60 / 60),
				},
			)
		}
		from = to
	}
}

func compareThings(a, b Truth) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Account, b.Account),
		cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.HelperID, b.HelperID),
	)
}
