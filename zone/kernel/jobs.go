package kernel

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

// Job is an asynchronous job. Its fields are guarded by the zone's lock; done closes when it has ended.
type Job struct {
	UUID      string
	ID        int64 // of cloud.async_job
	Cmd       *Bound
	Caller    Caller
	Status    int // 0 pending, 1 success, 2 failure
	Code      int
	Result    obj
	Instance  string
	Created   time.Time
	Completed time.Time
	done      chan struct{}
}

// submit queues the call's work, after the job before it that has the same sync key. The zone's lock is held.
func submit(k *Kernel, c *Call) (*Job, error) {
	if k.closing {
		return nil, api.Internal("the management server is shutting down")
	}
	j := &Job{UUID: k.UUID(), Cmd: c.Cmd, Caller: c.Caller, Created: k.Now(), done: make(chan struct{}),
		Instance: c.Target.UUID}
	if c.Cmd.Kind == AsyncCommand {
		j.Instance = c.Str("id")
	}
	row := obj{
		"uuid": j.UUID, "user_id": c.Caller.UserID(), "account_id": c.Caller.Owner().OwnerID(),
		"instance_type": c.Cmd.Instance,
		"job_cmd":       c.Cmd.Class, "job_cmd_ver": 0, "job_status": 0, "job_process_status": 0, "job_result_code": 0,
		"created": j.Created, "related": "", "job_type": "AsyncJobVO", "job_dispatcher": "ApiAsyncJobDispatcher",
	}
	id, err := k.Insert(c.Ctx, "cloud.async_job", row)
	if err != nil {
		return nil, err
	}
	j.ID = id
	k.jobs[j.UUID] = j
	c.Job = j
	c.eventScheduled()

	var before chan struct{}
	if c.Cmd.Sync != nil {
		if key := c.Cmd.Sync(c.k, c); key != "" {
			before, k.tails[key] = k.tails[key], j.done
		}
	}
	c.Ctx = WithOrigin(k.background, jobOrigin(j))
	k.working.Add(1)
	k.running++
	go c.work(before)
	return j, nil
}

// work is a job's goroutine.
func (c *Call) work(before <-chan struct{}) {
	k, j := c.k, c.Job
	defer k.working.Done()
	if before != nil {
		<-before
	}
	defer k.load.work(c.Cmd.Name)()
	k.Lock()
	defer k.Unlock()
	c.eventStarted()
	result, err := c.runSafely()
	c.eventDone(err)
	j.Status, j.Result, j.Completed = 1, result, k.Now()
	if err != nil {
		c.explained(&err)
		e := AsAPI(err)
		j.Status, j.Code, j.Result = 2, e.Code, obj{"errorcode": e.Code, "errortext": e.Text}
	}
	mirrorJob(k, j)
	k.running--
	k.idle.Broadcast()
	close(j.done)
}

func (c *Call) runSafely() (result obj, err error) {
	defer c.recovered(&err)
	if err := c.k.load.refusal(c.Cmd.Name); err != nil {
		return nil, err
	}
	return c.Cmd.Run(c.k, c)
}

func mirrorJob(k *Kernel, j *Job) {
	text, err := json.Marshal(j.Result)
	if err == nil {
		err = k.Update(k.background, "cloud.async_job", j.ID, obj{
			"job_status": j.Status, "job_result_code": j.Code, "job_result": storable(string(text), 20000),
			"last_updated": j.Completed, "removed": j.Completed,
		})
	}
	if err != nil {
		k.Log.Error("mirroring a job", "job", j.UUID, "err", err)
	}
}

// JobByUUID finds the job with a uuid, removed ones included; nil for none.
func (k *Kernel) JobByUUID(u string) *Job { return k.jobs[u] }

// AllJobs lists the jobs, oldest first. The lock must be held.
func (k *Kernel) AllJobs() []*Job {
	return slices.SortedFunc(maps.Values(k.jobs), func(a, b *Job) int { return int(a.ID - b.ID) })
}

// WaitJobs waits until no job runs. The zone's lock is held and released meanwhile.
func (k *Kernel) WaitJobs() {
	for k.running > 0 {
		k.idle.Wait()
	}
}

// Jobs waits for all jobs that were queued so far.
func (k *Kernel) Jobs(ctx context.Context) error {
	k.Lock()
	var pending []*Job
	for _, j := range k.jobs {
		if j.Status == 0 {
			pending = append(pending, j)
		}
	}
	k.Unlock()
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
