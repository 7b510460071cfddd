package zone

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

// job is an asynchronous job. Its fields are guarded by the zone's lock; done closes when it has ended.
type job struct {
	uuid      string
	id        int64 // of cloud.async_job
	cmd       *bound
	caller    Caller
	status    int // 0 pending, 1 success, 2 failure
	code      int
	result    obj
	instance  string
	created   time.Time
	completed time.Time
	done      chan struct{}
}

// submit queues the call's work, after the job before it that has the same sync key. The zone's lock is held.
func (z *Zone) submit(c *call) (*job, error) {
	if z.closing {
		return nil, api.Internal("the management server is shutting down")
	}
	j := &job{uuid: z.uuid(), cmd: c.cmd, caller: c.caller, created: z.now(), done: make(chan struct{}), instance: c.target.uuid}
	if c.cmd.kind == asyncCommand {
		j.instance = c.str("id")
	}
	row := obj{
		"uuid": j.uuid, "user_id": c.caller.UserID(), "account_id": c.caller.Owner().OwnerID(), "instance_type": c.cmd.instance,
		"job_cmd": c.cmd.class, "job_cmd_ver": 0, "job_status": 0, "job_process_status": 0, "job_result_code": 0,
		"created": j.created, "related": "", "job_type": "AsyncJobVO", "job_dispatcher": "ApiAsyncJobDispatcher",
	}
	id, err := z.insert(c.ctx, "cloud.async_job", row)
	if err != nil {
		return nil, err
	}
	j.id = id
	z.jobs[j.uuid] = j
	c.job = j
	c.eventScheduled()

	var before chan struct{}
	if c.cmd.sync != nil {
		if key := c.cmd.sync(c.z, c); key != "" {
			before, z.tails[key] = z.tails[key], j.done
		}
	}
	c.ctx = withOrigin(z.background, jobOrigin(j))
	z.working.Add(1)
	z.running++
	go c.work(before)
	return j, nil
}

// work is a job's goroutine.
func (c *call) work(before <-chan struct{}) {
	z, j := c.z, c.job
	defer z.working.Done()
	if before != nil {
		<-before
	}
	defer z.load.work(c.cmd.name)()
	z.mu.Lock()
	defer z.mu.Unlock()
	c.eventStarted()
	result, err := c.runSafely()
	c.eventDone(err)
	j.status, j.result, j.completed = 1, result, z.now()
	if err != nil {
		c.explained(&err)
		e := asAPI(err)
		j.status, j.code, j.result = 2, e.Code, obj{"errorcode": e.Code, "errortext": e.Text}
	}
	z.mirrorJob(j)
	z.running--
	z.idle.Broadcast()
	close(j.done)
}

func (c *call) runSafely() (result obj, err error) {
	defer c.recovered(&err)
	return c.cmd.run(c.z, c)
}

func (z *Zone) mirrorJob(j *job) {
	text, err := json.Marshal(j.result)
	if err == nil {
		err = z.update(z.background, "cloud.async_job", j.id, obj{
			"job_status": j.status, "job_result_code": j.code, "job_result": storable(string(text), 20000), "last_updated": j.completed, "removed": j.completed,
		})
	}
	if err != nil {
		z.log.Error("mirroring a job", "job", j.uuid, "err", err)
	}
}

func (z *Zone) jobByUUID(u string) *job { return z.jobs[u] }

// waitJobs waits until no job runs. The zone's lock is held and released meanwhile.
func (z *Zone) waitJobs() {
	for z.running > 0 {
		z.idle.Wait()
	}
}

// Jobs waits for all jobs that were queued so far.
func (z *Zone) Jobs(ctx context.Context) error {
	z.mu.Lock()
	var pending []*job
	for _, j := range z.jobs {
		if j.status == 0 {
			pending = append(pending, j)
		}
	}
	z.mu.Unlock()
	for _, j := range pending {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// sortIndexes sorts the indexes of map parameters by number, words after numbers.
func sortIndexes(s []string) {
	slices.SortFunc(s, func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		switch {
		case errX == nil && errY == nil:
			return x - y
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
}
