package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// twinsLive ends one of each kind of thing that is billed while its twin lives on. What no scenario can make for real
// is forged: snapshots, templates, ISOs and the scale of a VM.
func twinsLive() harness.Scenario {
	return harness.Scenario{
		ID: "U-60", Title: "of two things of each kind that is billed one ends, and one goes on to be billed as what " +
			"it is", Group: result.GroupUsage,
		Guards: []string{"#10789", "#13112", "#9459", "#4085"}, Needs: append(usageNeeds(), harness.Forge),
		KnownBad: known(release.UsageVolumeKeyNarrow,
			"#13399: a duplicate key blocks the usage run, and no row is opened any more",
			result.StalledRun),
		Twins: []release.Knob{release.UsageVolumeKeyNarrow, fault.UsageVPNCloseTwice, fault.UsageIPCloseTwice,
			fault.UsageVolumeCloseTwice, fault.UsageSnapshotCloseNothing, fault.UsageTemplateCloseTwice,
			fault.UsageScaleIgnored, fault.NICOfferingOfFirst, fault.ResizeWithoutOffering, fault.VolumeEventHalfSize,
			fault.SecondNICStays, fault.UsageVMCloseNothing},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			vpc := account.VPC()
			tier, empty := vpc.Tier(), vpc.Tier()
			island, second := account.Isolated(), account.VPC()
			dies, lives := tier.NewVM(), tier.NewVM()
			dies.Join(island)
			lives.Join(island)
			user, staying := account.VPNUser("removed"), account.VPNUser("stays")
			freed, kept := tier.Address(), tier.Address()
			spare, data := account.NewVolume(), account.NewVolume()
			forged := storedTwins(account)
			t.Drain()
			t.RequireRowOpen(user.Billed(), staying.Billed(), freed.Billed(), kept.Billed(), spare.Billed(),
				data.Billed(), dies.Allocated(), lives.Allocated())
			data.Attach(lives)
			data.Resize(30)
			data.Detach()
			lives.Scale(lives.OfferingID() + 1)
			lives.Scale(lives.OfferingID())
			dies.Stop()
			t.Drain()
			nics := story.BilledAll(lives.NICs()...)
			user.Remove()
			freed.Release()
			spare.Delete()
			dies.Destroy()
			dies.Expunge()
			empty.Delete()
			second.Delete()
			for _, f := range forged {
				f.dies()
			}
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(freed.Billed(), spare.Billed(), dies.Allocated(), dies.Running())
			t.ExpectNotBilledNow(freed.Billed(), spare.Billed(), dies.Allocated(), dies.Running(), user.Billed())
			t.ExpectRowOpen(staying.Billed(), kept.Billed(), data.Billed(), lives.Running())
			t.ExpectRowOpen(nics...)
			t.ExpectRows(lives.Allocated(), 1, 2)
			t.ExpectBilledNow(staying.Billed(), kept.Billed(), data.Billed(), lives.Running())
			for _, f := range forged {
				t.ExpectRows(f.ended, 0, 1)
				t.ExpectRows(f.stays, 1, 0)
			}
		}),
	}
}

// storedPair is a pair of things in secondary storage.
type storedPair struct {
	ended, stays story.Billed
	dies         func()
}

// storedTwins forges two of each kind that usage_storage holds (StorageTypes.java@4.20.0.0).
func storedTwins(account *story.Account) (all []storedPair) {
	for i, one := range []struct{ kind, part string }{{"TEMPLATE", "1"}, {"ISO", "2"}, {"SNAPSHOT", "3"}} {
		first := int64(5001 + 10*i)
		forge := func(id int64) story.Billed {
			account.Forge(one.kind+".CREATE", id, map[string]any{"resource_name": one.kind, "size": 1 << 30,
				"virtual_size": 1 << 30, "template_id": id}, nil)
			ref := usageprobe.Ref{Kind: usageprobe.KindStorage, ID: id, Part: one.part}
			return story.Billed{Name: one.kind, Ref: ref}
		}
		pair := storedPair{ended: forge(first), stays: forge(first + 1)}
		pair.dies = func() { account.Forge(one.kind+".DELETE", first, map[string]any{"resource_name": one.kind}, nil) }
		all = append(all, pair)
	}
	return all
}
