package result

import "slices"

// Class is the kind of a failure. Known defects name classes, so that the words of a verdict may change and a known
// failure is still known.
type Class string

// The classes of usage rows, records and jobs. What the probes call a violation's class has the same name here.
const (
	LeakedRow         Class = "leaked-row"
	CrossedClose      Class = "crossed-close"
	DuplicateNetwork  Class = "duplicate-network"
	RolledBackDelete  Class = "rolled-back-delete"
	SharedNICOffering Class = "shared-nic-offering"
	VPNUserDate       Class = "vpn-user-date"
	LostAccount       Class = "lost-account"
	StalledRun        Class = "stalled-run"
	WrongClose        Class = "wrong-close"
	RowCount          Class = "row-count"
	WrongEvent        Class = "wrong-event"
	WrongHours        Class = "wrong-hours"
	BilledAfterEnd    Class = "billed-after-end"
	NotBilled         Class = "not-billed"
	WrongSize         Class = "wrong-size"
	WrongBackupSize   Class = "wrong-backup-size"
	RepeatedRecords   Class = "repeated-records"
	BilledTwice       Class = "billed-twice"
	GoneVMBilled      Class = "gone-vm-billed"
	ResizedUnbilled   Class = "resized-unbilled"
	WrongColumn       Class = "wrong-column"
	UsageInvariant    Class = "usage-invariant"
	UsageJob          Class = "usage-job"
	WrongListing      Class = "wrong-listing"
	WrongAudit        Class = "wrong-audit"
)

// The classes of pushes, routers and clients.
const (
	PushCount           Class = "push-count"
	PushContent         Class = "push-content"
	RouterStale         Class = "router-stale"
	WrongFile           Class = "wrong-file"
	RouterFrozen        Class = "router-frozen"
	ProcessStale        Class = "process-stale"
	ReloadCount         Class = "reload-count"
	RoutersDiffer       Class = "routers-differ"
	KeepAliveWrong      Class = "keep-alive-wrong"
	WrongTimeout        Class = "wrong-timeout"
	HealthAlarm         Class = "health-alarm"
	NotSticky           Class = "not-sticky"
	StickyWithoutPolicy Class = "sticky-without-policy"
	WrongBackends       Class = "wrong-backends"
	WrongProtocol       Class = "wrong-protocol"
	LostConnections     Class = "lost-connections"
	OldWorkers          Class = "old-workers"
	WrongClients        Class = "wrong-clients"
	StillServed         Class = "still-served"
	WrongCertificate    Class = "wrong-certificate"
	PlainText           Class = "plain-text"
	WrongForwarded      Class = "wrong-forwarded-header"
	SecretLogged        Class = "secret-logged"
)

// The classes of what the API answers, and of autoscale groups.
const (
	ServerException Class = "server-exception"
	HalfChanged     Class = "half-changed"
	SiblingsBlocked Class = "siblings-blocked"
	RouterBlocked   Class = "router-blocked"
	TagsLeft        Class = "tags-left"
	FormerMember    Class = "former-member"
	RuleStuck       Class = "rule-stuck"
	MappedTwice     Class = "mapped-twice"
	RemovedTwice    Class = "removed-twice"
	EmptyList       Class = "empty-list"
	NotRefused      Class = "not-refused"
	WrongRefusal    Class = "wrong-refusal"
	FalseSuccess    Class = "false-success"
	StillListed     Class = "still-listed"
	WrongStored     Class = "wrong-stored"
	WrongAnswer     Class = "wrong-answer"
	NotListed       Class = "not-listed"
	WrongPolicies   Class = "wrong-policies"
	WrongForm       Class = "wrong-form"
	WrongMembers    Class = "wrong-members"
	QuietTime       Class = "quiet-time"
	EndlessMembers  Class = "endless-members"
	DisksLeft       Class = "disks-left"
	ModelDiffers    Class = "model-differs"
)

// ClassInfo says what a class is.
type ClassInfo struct {
	Class Class
	About string // one sentence
	// Follows are the classes that bring this one about for the same resource: it is then no failure of its own.
	Follows []Class
}

// Classes are all of them, in the order of a reader.
func Classes() []ClassInfo {
	return []ClassInfo{
		{LeakedRow, "The usage row of a deleted resource is still open, so it is billed for ever.", nil},
		{CrossedClose, "A usage row was closed by the delete of another resource.", nil},
		{DuplicateNetwork, "A network or VPC has several open usage rows.", nil},
		{RolledBackDelete, "A resource that is alive has a delete event.", nil},
		{SharedNICOffering, "The removal of one NIC closed the usage row of another one with the same offering.", nil},
		{VPNUserDate, "The usage row of a VPN user was closed at the job's time instead of the removal's.", nil},
		{LostAccount, "The usage server never copied an account.", nil},
		{StalledRun, "The usage run never gets past an event of a volume and writes its records again each time.", nil},
		{WrongClose, "A usage row was closed at another time than its resource's own delete.", []Class{CrossedClose}},
		{RowCount, "A resource has more or fewer usage rows than it had lives.", []Class{DuplicateNetwork}},
		{WrongEvent, "A usage event is missing, is there twice, or has a wrong date.", nil},
		{WrongHours, "Usage records bill more or fewer hours than a resource lived.", []Class{LeakedRow, CrossedClose}},
		{BilledAfterEnd, "A resource is billed after it was deleted.", []Class{LeakedRow, CrossedClose}},
		{NotBilled, "A resource that is alive is not billed.", []Class{CrossedClose, WrongClose}},
		{WrongSize, "A usage row has another size than its volume.", nil},
		{WrongBackupSize, "A usage window bills backups with a size that they had in a part of it only.", nil},
		{RepeatedRecords, "Usage records are there more than once.", nil},
		{BilledTwice, "The usage records of one resource and window come to more than the window.", nil},
		{GoneVMBilled, "A volume is billed for a VM that it is no longer attached to.", nil},
		{ResizedUnbilled, "A volume that lost its usage row is not billed after a resize.", nil},
		{WrongColumn, "A usage row or record says something else than its event, its resource or its row.", nil},
		{UsageInvariant, "An invariant of usage rows does not hold, in a way that no other class names.", nil},
		{UsageJob, "A usage run did not come, or its jobs are not sound.", nil},
		{WrongListing, "listUsageRecords lists something else than the database holds.", nil},
		{WrongAudit, "An audit or a plan of repair finds something else than what is wrong.", nil},
		{PushCount, "A step sent more or fewer pushes than it should.", nil},
		{PushContent, "The newest push is not what the API lists.", nil},
		{RouterStale, "The router's live file is not what the newest push renders to.", nil},
		{WrongFile, "The file or the firewall that a router makes of a push is not what the push orders.", nil},
		{RouterFrozen, "HAProxy refuses the router's file and goes on with the one before.", nil},
		{ProcessStale, "HAProxy does not run, or runs with another file than the live one.", []Class{RouterFrozen}},
		{ReloadCount, "The router reloaded HAProxy more or fewer times than it should.", nil},
		{RoutersDiffer, "Redundant routers have different rules.", nil},
		{KeepAliveWrong, "Keep-alive of a push or a router is not that of the network's offering.", nil},
		{WrongTimeout, "A router's file has other timeouts than the setting says.", nil},
		{HealthAlarm, "A router's own health check alarms although its rules are in force.", nil},
		{NotSticky, "A rule has a stickiness policy and does not keep its clients.", nil},
		{StickyWithoutPolicy, "A rule has no stickiness policy and keeps its clients.", nil},
		{WrongBackends, "Clients of a rule reach other members than it has.", nil},
		{WrongProtocol, "A rule is served with another protocol than it has.", nil},
		{LostConnections, "Long connections did not outlive a change.", nil},
		{OldWorkers, "HAProxy workers that should have ended hold an old configuration.", nil},
		{WrongClients, "A rule serves clients that its source list leaves out, or refuses those that it names.", nil},
		{ServerException, "A call failed with an exception of the server's own code.", nil},
		{HalfChanged, "A call that failed has changed something.", nil},
		{SiblingsBlocked, "A change of a rule was refused because of another rule of its router.", nil},
		{RouterBlocked, "A change that is none of balancing is refused because of a balancing change before it.", nil},
		{FormerMember, "A VM or an address that was taken from a rule still counts as its member.", nil},
		{RuleStuck, "No call on a rule succeeds any more.", nil},
		{MappedTwice, "A VM is behind a rule twice with one address.", nil},
		{RemovedTwice, "A VM that is taken from a rule twice within a second is not taken away the second time.", nil},
		{EmptyList, "A list leaves out what it is asked for.", nil},
		{TagsLeft, "The tags of something that was deleted are still listed.", nil},
		{StillServed, "The router still takes connections for a rule that was deleted.", nil},
		{WrongCertificate, "A rule shows its clients, or the API lists for it, another certificate than it has.", nil},
		{PlainText, "A rule that should speak TLS answers in plain text.", nil},
		{WrongForwarded, "A member is told something else of a client's connection than the router knows.", nil},
		{SecretLogged, "The management log shows a private key.", nil},
		{NotRefused, "A call was carried out that must be refused.", nil},
		{WrongRefusal, "A call was refused that must be carried out, or for another reason than it should be.", nil},
		{FalseSuccess, "A call whose push failed was answered with success.", nil},
		{StillListed, "The API lists what was deleted.", nil},
		{WrongStored, "The database holds something else of rules or groups than the API lists.", nil},
		{WrongAnswer, "A list leaves out what it is asked for, or has more, or counts otherwise.", nil},
		{NotListed, "The API does not list what is alive, or not as active.", nil},
		{WrongPolicies, "The API lists other stickiness policies than a rule has.", nil},
		{WrongForm, "An answer has not the form of the target's release.", nil},
		{WrongMembers, "An autoscale group has more, fewer or other members than it should.", nil},
		{QuietTime, "A scaling policy does not keep its quiet time.", nil},
		{DisksLeft, "Disks of an autoscale group's members outlive them.", nil},
		{EndlessMembers, "An autoscale group makes members without end while none of them starts.", nil},
		{ModelDiffers, "What was seen is not what the model of the random walk says.", nil},
	}
}

// causes are the classes that bring this one about for the same resource.
func (c Class) causes() []Class {
	all := Classes()
	if i := slices.IndexFunc(all, func(o ClassInfo) bool { return o.Class == c }); i >= 0 {
		return all[i].Follows
	}
	return nil
}
