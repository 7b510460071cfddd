// Package database runs a private MariaDB (or MySQL 8) server in a folder of its own and puts CloudStack's two
// databases, cloud and cloud_usage, into it: the recorded tables, columns, types, defaults and keys of a release.
//
// It is not a model of CloudStack: it holds no rows (a fresh server is empty) and no foreign keys, and it has only the
// tables that schema/columns.tsv lists.
//
// Times are DATETIME columns of one second resolution that hold the GMT wall clock. The server's zone is +00:00 and
// every DSN sets loc=UTC and parseTime=true, so a time.Time read back is UTC; a time written must be UTC and should be
// truncated to the second (the server truncates, it does not round).
//
// The one thing to know before changing it: the server dies with us. It is started from a locked thread that lives as
// long as the process does, because the kernel sends the parent-death signal when the *thread* that forked ends; and it
// must not change its user after exec, because that clears the signal. Hence --user=root when we are root.
package database
