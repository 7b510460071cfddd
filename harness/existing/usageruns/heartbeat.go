package usageruns

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/existing/clock"
)

// tolerated is how far clocks of one site may differ: more, and a row's time says nothing about a call's.
const tolerated = 5 * time.Second

// beatMax is from when on a management server that sends no heartbeat is none of those at work.
const beatMax = time.Minute

// beatPatience is how long a late heartbeat is waited for; it comes every 1.5 s (cluster.heartbeat.interval).
const beatPatience = 10 * time.Second

// beat is a management server's newest heartbeat: the time that it wrote, and its age by the database's clock.
type beat struct {
	name, at string
	age      time.Duration
}

// SameTime compares the clocks of the management servers with the database's. A server writes its own time in GMT with
// each heartbeat (ManagementServerHostDaoImpl.java@4.20.0.0, update), whatever the time zone of its session; its
// answers tell no time.
func SameTime(ctx context.Context, db *sql.DB) error {
	first, err := beats(ctx, db)
	if err != nil {
		return err
	}
	for began, now := time.Now(), first; ; {
		apart, late := judgeBeats(first, now)
		if apart != nil || late == nil {
			return apart
		}
		if time.Since(began) > beatPatience {
			return late
		}
		if err := clock.Wait(ctx, clock.LastLook); err != nil {
			return err
		}
		if now, err = beats(ctx, db); err != nil {
			return err
		}
	}
}

// judgeBeats compares two readings. Apart is a clock that is wrong for certain: a heartbeat from the future, or one
// that is new and old at once. Late is a heartbeat that may still come.
func judgeBeats(first, now map[int64]beat) (apart, late error) {
	newest := beatMax
	for id, b := range now {
		moved := first[id].at != b.at
		if b.age < -tolerated || b.age > tolerated && b.age < beatMax && moved || b.age >= beatMax && moved {
			return fmt.Errorf("the clocks of the database and management server %s are %s apart (its heartbeat says "+
				"%s GMT): set both by NTP",
				b.name, b.age.Abs(), b.at), nil
		}
		newest = min(newest, b.age)
		if b.age > tolerated && b.age < beatMax {
			late = fmt.Errorf("management server %s sent no heartbeat for %s (cloud.mshost): is it up, and are its "+
				"clock and the database's set by NTP?", b.name, b.age)
		}
	}
	if newest >= beatMax {
		late = fmt.Errorf("no management server sent a heartbeat within %s (cloud.mshost): is it up, and are its "+
			"clock and the database's set by NTP?", beatMax)
	}
	return nil, late
}

func beats(ctx context.Context, db *sql.DB) (map[int64]beat, error) {
	rows, err := db.QueryContext(ctx, "SELECT id, COALESCE(name, ''), DATE_FORMAT(last_update, '%Y-%m-%d "+
		"%H:%i:%s'), TIMESTAMPDIFF(SECOND, last_update, UTC_TIMESTAMP()) "+
		"FROM cloud.mshost WHERE removed IS NULL AND last_update IS NOT NULL")
	if err != nil {
		return nil, fmt.Errorf("reading the management servers' heartbeats: %w", err)
	}
	defer rows.Close()
	all := map[int64]beat{}
	for rows.Next() {
		var id, seconds int64
		var b beat
		if err := rows.Scan(&id, &b.name, &b.at, &seconds); err != nil {
			return nil, fmt.Errorf("reading the management servers' heartbeats: %w", err)
		}
		b.age = time.Duration(seconds) * time.Second
		all[id] = b
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the management servers' heartbeats: %w", err)
	}
	return all, nil
}
