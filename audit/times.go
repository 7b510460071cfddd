package audit

import "time"

func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) }
