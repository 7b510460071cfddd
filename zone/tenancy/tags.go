package tenancy

import "slices"

// Tag is a name and a value on an object. Tags live in memory: no row of a table that is looked at has them.
type Tag struct {
	Key, Value, Customer string
	Kind                 string // UserVm, Vpc, ...
	Resource             string // the object's uuid
	Owner                *Account
}

// Tagged are the tags of an object, as its answer shows them; empty, never nil.
func (mgr *Manager) Tagged(uuid string) []obj {
	out := []obj{}
	for _, t := range mgr.Tags {
		if t.Resource == uuid {
			out = append(out, mgr.TagAnswer(t))
		}
	}
	return out
}

// TagAnswer is a tag as list commands show it.
func (mgr *Manager) TagAnswer(t *Tag) obj {
	out := obj{"key": t.Key, "value": t.Value, "resourcetype": t.Kind, "resourceid": t.Resource}
	if t.Customer != "" {
		out["customer"] = t.Customer
	}
	mgr.Owned(out, t.Owner)
	return out
}

// DropTags takes all tags off an object that is removed.
func (mgr *Manager) DropTags(uuid string) {
	mgr.Tags = slices.DeleteFunc(mgr.Tags, func(t *Tag) bool { return t.Resource == uuid })
}
