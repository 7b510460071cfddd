package harness

// onlyAPI says whether the story is told without a database.
func onlyAPI(t *Attempt) bool {
	return t.scenario.APIOnly != nil && t.site.DB == nil && t.site.Missing[UsageDB] != ""
}

// apiOnly marks a verdict as the weaker one that listUsageRecords alone allows: rows and helper ids were not seen.
func (t *Attempt) apiOnly() {
	const weaker = "API only, without a database"
	t.Note(weaker, "judged by listUsageRecords oldformat=true; helper rows, events and close dates were not seen")
	if t.reason == "" {
		t.reason = "no wrong record was listed"
	}
	t.reason = weaker + ": " + t.reason
}
