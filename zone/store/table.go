package store

// Object is what a table holds: a pointer to something that CloudStack knows by a uuid and an internal id.
type Object interface {
	comparable
	Key() (uuid string, id int64)
}

// Table holds the objects of one kind in the order in which they came, found by uuid and by id. The zero value is
// empty. It takes no lock: the kernel's is held by who works with it.
type Table[T Object] struct {
	all    []T
	byUUID map[string]T
	byID   map[int64]T
}

// Add puts an object at the end. It must have its uuid and id.
func (t *Table[T]) Add(x T) {
	if t.byUUID == nil {
		t.byUUID, t.byID = map[string]T{}, map[int64]T{}
	}
	uuid, id := x.Key()
	t.all = append(t.all, x)
	t.byUUID[uuid], t.byID[id] = x, x
}

// Remove takes an object out. Who goes through All meanwhile still sees it.
func (t *Table[T]) Remove(x T) {
	if !t.Has(x) {
		return
	}
	uuid, id := x.Key()
	delete(t.byUUID, uuid)
	delete(t.byID, id)
	rest := make([]T, 0, len(t.all))
	for _, one := range t.all {
		if one != x {
			rest = append(rest, one)
		}
	}
	t.all = rest
}

// Rename finds an object by its new uuid and no longer by the one that it had.
func (t *Table[T]) Rename(x T, had string) {
	uuid, _ := x.Key()
	delete(t.byUUID, had)
	t.byUUID[uuid] = x
}

// Has says whether the object is there.
func (t *Table[T]) Has(x T) bool {
	_, id := x.Key()
	return t.byID[id] == x
}

// All are the objects, oldest first. The slice is not to be changed.
func (t *Table[T]) All() []T { return t.all }

// ByUUID is the object with a uuid; nil for none.
func (t *Table[T]) ByUUID(uuid string) T { return t.byUUID[uuid] }

// ByID is the object with an id; nil for none.
func (t *Table[T]) ByID(id int64) T { return t.byID[id] }
