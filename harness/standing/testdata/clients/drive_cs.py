"""Drives a standing lab with cs: a VPC with an ACL, a tier, an address, a sticky rule with members, an autoscale group, usage,
tags, and the removal of all. What is printed at the end is what the test expects."""
import os
from cs import CloudStack, CloudStackException

api = CloudStack(endpoint=os.environ["CLOUDSTACK_ENDPOINT"], key=os.environ["CLOUDSTACK_KEY"],
                 secret=os.environ["CLOUDSTACK_SECRET"], poll_interval=0.05, job_timeout=60)


def wait(job, key):
    return job[key] if key in job else job


zone = api.listZones(name="sandbox-SIMULATOR")["zone"][0]["id"]
offering = [o for o in api.listVPCOfferings(name="Default VPC")["vpcoffering"] if o["name"] == "Default VPC offering"][0]["id"]
tiers = api.listNetworkOfferings(name="DefaultIsolatedNetworkOfferingForVpcNetworks")["networkoffering"][0]["id"]
size = api.createServiceOffering(name="tiny", displaytext="tiny", cpunumber=1, cpuspeed=100,
                                 memory=64)["serviceoffering"]["id"]
image = api.listTemplates(templatefilter="executable")["template"][0]["id"]

vpc = api.createVPC(zoneid=zone, name="cs", cidr="10.4.0.0/16", vpcofferingid=offering, fetch_result=True)["vpc"]["id"]
acl = api.createNetworkACLList(name="cs", vpcid=vpc, fetch_result=True)["networkacllist"]["id"]
item = api.createNetworkACL(aclid=acl, protocol="tcp", startport=80, endport=80, action="allow", number=1,
                            traffictype="ingress", cidrlist="0.0.0.0/0", fetch_result=True)["networkacl"]["id"]
tier = api.createNetwork(name="cs", zoneid=zone, vpcid=vpc, networkofferingid=tiers, gateway="10.4.1.1",
                         netmask="255.255.255.0", aclid=acl)["network"]["id"]
address = api.associateIpAddress(vpcid=vpc, fetch_result=True)["ipaddress"]["id"]
vm = api.deployVirtualMachine(zoneid=zone, serviceofferingid=size, templateid=image, networkids=tier, name="cs-1",
                              fetch_result=True)["virtualmachine"]["id"]


def balance(name, port):
    return api.createLoadBalancerRule(name=name, algorithm="source", publicport=port, privateport=80, publicipid=address,
                                      networkid=tier, fetch_result=True)["loadbalancer"]["id"]


rule, scaled = balance("manual", 80), balance("scaled", 81)
api.assignToLoadBalancerRule(id=rule, virtualmachineids=vm, fetch_result=True)
policy = api.createLBStickinessPolicy(lbruleid=rule, name="s", methodname="SourceBased",
                                      fetch_result=True)["stickinesspolicies"]["stickinesspolicy"][0]["id"]

counter = api.createCounter(name="cs", source="virtualrouter", value="public.network.received.average.mbps",
                            provider="VpcVirtualRouter", fetch_result=True)["counter"]["id"]
condition = api.createCondition(counterid=counter, relationaloperator="GT", threshold=90, fetch_result=True)["condition"]["id"]
up, down = [api.createAutoScalePolicy(action=a, duration=60, conditionids=condition, fetch_result=True)["autoscalepolicy"]["id"]
            for a in ("ScaleUp", "ScaleDown")]
profile = api.createAutoScaleVmProfile(zoneid=zone, serviceofferingid=size, templateid=image,
                                       fetch_result=True)["autoscalevmprofile"]["id"]
group = api.createAutoScaleVmGroup(name="cs", lbruleid=scaled, minmembers=1, maxmembers=2, scaleuppolicyids=up, scaledownpolicyids=down,
                                   vmprofileid=profile, fetch_result=True)["autoscalevmgroup"]["id"]

api.createTags(resourceids=vm, resourcetype="UserVm", tags=[{"key": "stage", "value": "test"}], fetch_result=True)
found = api.listVirtualMachines(tags=[{"key": "stage", "value": "test"}])["virtualmachine"]
assert [m["id"] for m in found] == [vm], found
assert found[0]["tags"][0]["value"] == "test", found
try:
    api.listVirtualMachines(keypair="none")
    raise SystemExit("an unknown filter listed everything")
except CloudStackException as e:
    assert e.error["errorcode"] == 431, e
api.listUsageRecords(startdate="2020-01-01", enddate="2030-01-01")
assert api.listUsageTypes()["count"] > 20

api.disableAutoScaleVmGroup(id=group, fetch_result=True)
api.deleteAutoScaleVmGroup(id=group, cleanup="true", fetch_result=True)
api.deleteAutoScaleVmProfile(id=profile, fetch_result=True)
for one in (up, down):
    api.deleteAutoScalePolicy(id=one, fetch_result=True)
api.deleteCondition(id=condition, fetch_result=True)
api.deleteCounter(id=counter, fetch_result=True)
api.deleteLBStickinessPolicy(id=policy, fetch_result=True)
for one in (rule, scaled):
    api.deleteLoadBalancerRule(id=one, fetch_result=True)
api.deleteTags(resourceids=vm, resourcetype="UserVm", fetch_result=True)
api.destroyVirtualMachine(id=vm, expunge="true", fetch_result=True)
api.disassociateIpAddress(id=address, fetch_result=True)
api.deleteNetwork(id=tier, fetch_result=True)
api.deleteNetworkACL(id=item, fetch_result=True)
api.deleteNetworkACLList(id=acl, fetch_result=True)
api.deleteVPC(id=vpc, fetch_result=True)
api.deleteServiceOffering(id=size)
assert not api.listVPCs(id=vpc).get("vpc"), "the VPC is still there"
print("cs: done")
