// Package scenarios is what stackproof tests: a file a story. A story is told in the verbs of story.T, knows no target
// and touches no database or namespace itself.
//
// To add one: write a file with a function that returns a harness.Scenario, add the function to Catalogue in the place
// where a reader would look for it, and name the lab's knobs that must make it fail (Twins). The tests of this package
// check the rest: unique ids, existing knobs, a control in every story.
package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// Catalogue is every scenario, in the order in which reports list them.
func Catalogue() harness.Catalogue {
	all := stories()
	for i, s := range all {
		if s.Group == result.GroupUsage {
			all[i].KnownBad = s.KnownBad.Or(stalledRun())
		}
	}
	return all
}

// stalledRun is what any VM on the site does to every usage scenario of releases that have it: rows of what was made
// before it are never opened, and all records are written again with each run. The rows of load balancer rules that
// were made later are judged all the same.
func stalledRun() harness.Known {
	return harness.Known{
		Releases: release.Where(release.UsageVolumeKeyNarrow),
		Perhaps:  true,
		Why: "#13399: the second row of a volume violates a key of usage_volume, and the usage run never gets past " +
			"it; " +
			"ended by #13909",
		Classes: []result.Class{result.StalledRun},
	}
}

// stalledByVM is the same for a story whose own VM comes after what it looks at.
func stalledByVM() harness.Known {
	k := stalledRun()
	k.Perhaps, k.Knob = false, release.UsageVolumeKeyNarrow
	k.Why = "#13399: what is made before a VM is not metered any more"
	return k
}

func stories() harness.Catalogue {
	return harness.Catalogue{
		ownRow(),
		crossedRow(),
		equalIDs(),
		twoAccounts(),
		addressRelease(),
		networkDelete(),
		vpcDelete(),
		offeringChange(),
		accountDelete(),
		projectDelete(),
		portForwarding(),
		recordsStop(),
		continuity(),
		billedAfterFailedDelete(),
		lateClose(),
		upgradeAcrossFix(),
		uploadedVolume(),
		snapshotOnPrimary(),
		networkRow(),
		vpcRow(),
		volumes(),
		twoNICs(),
		twoZones(),
		deletedBeforeFirstRun(),
		shortLife(),
		equalSeconds(),
		failedCreate(),
		backups(),
		duplicateCreate(),
		takeover(),
		vmSnapshots(),
		twinsLive(),
		windowEdges(),
		firstDay(),
		hiddenRecords(),
		groupDelete(),
		timeZones(),
		vpnUser(),
		notMetered(),
		apiAfterDelete(),
		keptRules(),
		answerForms(),
		accountsAtOnce(),
		vmDeployment(),
		attachedOnce(),
		resizedBilled(),
		volumesNamed(),
		internalRules(),
		backupSizes(),
		goneVM(),
		everyColumn(),
		harmlessActions(),
		listingFilters(),
		projectListing(),
		backupsToLast(),
		standby(),
		nicListing(),
		unusualInputs(),
		modelRun(),
		shortWalk(),
		twinPolicyApplied(),
		twinPolicyRemoved(),
		algorithmChanged(),
		groupsSticky(),
		poisonedRule(),
		algorithmCase(),
		keepAliveCookie(),
		restartKeepsTiers(),
		failedReplacement(),
		failedDelete(),
		burst(),
		siblingChange(),
		longConnections(),
		redundantRouters(),
		stoppedRouter(),
		membersFollow(),
		internalBalancer(),
		sourceList(),
		policyLimits(),
		certificateRefused(),
		keepAliveLeak(),
		healthChecks(),
		emptyNetwork(),
		deletedAnswersNoMore(),
		otherInputs(),
		orders(),
		lists(),
		failedChanges(),
		updateWithoutProtocol(),
		renameAlone(),
		protocolSpelling(),
		sourceListForms(),
		unknownAlgorithm(),
		portZero(),
		updateRolledBack(),
		protocolChanged(),
		failedAssign(),
		tagsGo(),
		siblingsServed(),
		udpRule(),
		formerMember(),
		deleteKeepsPolicy(),
		assignedAgain(),
		unappliedListed(),
		endsTLS(),
		certificateHalfway(),
		keysHidden(),
		noPlainText(),
		healthyTLS(),
		forwardedProto(),
		routerBlocked(),
		idleTimeout(),
		mappedOnce(),
		takenTwice(),
		sharedAddress(),
		conservingVPC(),
		firewalledVPC(),
		groupLifeCycle(),
		groupGuards(),
		failingTemplate(),
		editsWhileScaling(),
		lostMember(),
		quietTime(),
		memberLeaves(),
		groupSettings(),
		thresholds(),
		boundsWhileScaling(),
		memberDisks(),
		memberNotPushed(),
		schedules(),
	}
}

// usageNeeds is what every scenario about usage rows needs.
func usageNeeds() []harness.Capability {
	return []harness.Capability{harness.API, harness.UsageDB, harness.UsageRun}
}

// routerNeeds is what every scenario about clients needs.
func routerNeeds() []harness.Capability {
	return []harness.Capability{harness.API, harness.PushLog, harness.RouterFiles, harness.DataPlane}
}

// helperIDBug is the defect of story A; more are the classes that it shows in a story beside those of rows.
func helperIDBug(more ...result.Class) harness.Known {
	return known(release.UsageCloseByHelperID,
		"#10789: usage rows are looked up by helper id; fixed by #10712 in 4.19.3.0 and #9888 in 4.20.1.0",
		append([]result.Class{result.LeakedRow, result.CrossedClose}, more...)...)
}

// setComparison is the defect of story B.
func setComparison() harness.Known {
	return harness.Known{Releases: release.Where(release.VRCompareAsSet), Knob: release.VRCompareAsSet, Router: true,
		Why:     "#9822: the router compares its files as sets of lines; fixed in 4.19.2.0 and 4.20.0.0",
		Classes: []result.Class{result.RouterStale, result.NotSticky, result.StickyWithoutPolicy}}
}

// faultNeeds is what every scenario about failing pushes needs.
func faultNeeds() []harness.Capability { return append(routerNeeds(), harness.PushFault) }

// always is a defect that every release seen has, and the lab as long as the knob is on: it is reported as known
// and gates nothing. The story foresees how it shows (T.Foreshow).
func always(defect release.Knob, why string, classes ...result.Class) harness.Known {
	return harness.Known{Releases: release.Everywhere(), Knob: defect, Why: why, Classes: classes}
}

// known is a defect of the releases that have its knob, and of the lab as long as the knob is on.
func known(defect release.Knob, why string, classes ...result.Class) harness.Known {
	return harness.Known{Releases: release.Where(defect), Knob: defect, Why: why, Classes: classes}
}

// everywhere is a defect that every release seen has, known by its classes.
func everywhere(why string, classes ...result.Class) harness.Known {
	return harness.Known{Releases: release.Everywhere(), Why: why, Classes: classes}
}

// storyA are the upstream reports of the helper-id defect.
func storyA() []string { return []string{"#10789", "#9443", "#9888", "#10712"} }

// storyB are the upstream reports of changes that a router swallows.
func storyB() []string { return []string{"#9583", "#9587", "#9822"} }
