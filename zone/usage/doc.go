// Package usage is CloudStack's usage server as a library: it copies events from database cloud to cloud_usage, opens
// and closes the rows of the helper tables, cuts the time since the last successful run into slices, and writes one
// record per resource and slice. Each release's faults are Rules; planted ones, for proving that a probe sees them, are
// Faults.
//
// It works on a *sql.DB (package database; the DSN must have parseTime=true and loc=UTC) and a Clock, and on nothing
// else: who calls Run and Heartbeat, and when, is the caller's affair. Times in the databases are GMT, to the second; a
// window ends on .999 of a second, which only usage_job.end_millis shows.
//
// It has no network, disk and bucket statistics (usage types 4, 5, 21–24 and 29), no quota and no sanity check. Which
// columns of an event each handler reads is eventFields, in fields_test.go.
//
// The one thing to know before changing it: the closing rules are CloudStack's, wrong ones included. The row to close
// is *found* by one set of columns and *updated* by another (facts: UsageManagerImpl and the Usage*DaoImpl classes of
// 4.20.0.0 and 4.20.1.0); merging the two repairs the very bug that this package is for.
package usage
