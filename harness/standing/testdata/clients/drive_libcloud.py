"""Drives a standing lab with apache-libcloud: its compute driver makes a VPC with an ACL, a tier and nodes with tags, its load
balancer driver a rule with members; then all is removed."""
import os
from urllib.parse import urlparse
from libcloud.compute.types import Provider as Compute
from libcloud.compute.providers import get_driver as compute
from libcloud.loadbalancer.base import Member
from libcloud.loadbalancer.types import Provider as Balancer
from libcloud.loadbalancer.providers import get_driver as balancer

url = urlparse(os.environ["CLOUDSTACK_ENDPOINT"])
where = dict(key=os.environ["CLOUDSTACK_KEY"], secret=os.environ["CLOUDSTACK_SECRET"], secure=False, host=url.hostname,
             port=url.port, path=url.path)
driver = compute(Compute.CLOUDSTACK)(**where)
driver.async_poll_frequency = 0.05
(zone,) = driver.list_locations()
size = driver.list_sizes()[0]
image = driver.list_images()[0]
offering = [o for o in driver.ex_list_vpc_offerings() if o.name == "Default VPC offering"][0]
vpc = driver.ex_create_vpc(cidr="10.5.0.0/16", display_text="lc", name="lc", vpc_offering=offering, zone_id=zone.id)
acl = driver.ex_create_network_acllist(name="lc", vpc_id=vpc.id, description="lc")
rule = driver.ex_create_network_acl(protocol="TCP", acl_id=acl.id, cidr_list="0.0.0.0/0", start_port=80, end_port=80,
                                    action="allow", traffic_type="Ingress")
tiers = [o for o in driver.ex_list_network_offerings() if o.name == "DefaultIsolatedNetworkOfferingForVpcNetworks"][0]
tier = driver.ex_create_network(display_text="lc", name="lc", network_offering=tiers, location=zone, gateway="10.5.1.1",
                                netmask="255.255.255.0", vpc_id=vpc.id)
driver.ex_replace_network_acllist(acl_id=acl.id, network_id=tier.id)
node = driver.create_node(name="lc-1", size=size, image=image, location=zone, networks=[tier])
driver.ex_create_tags([node.id], "UserVm", {"stage": "test"})
assert [n for n in driver.list_nodes() if n.id == node.id][0].extra["tags"] == {"stage": "test"}
assert driver.ex_list_nics(node), "no NIC"
assert any(r.id == rule.id for r in driver.ex_list_network_acl()), "the rule is not listed"
address = driver.ex_allocate_public_ip(vpc_id=vpc.id, location=zone)

lb = balancer(Balancer.CLOUDSTACK)(**where)
lb.async_poll_frequency = 0.05
# The driver's own create wants an isolated network.
answer = lb._async_request(command="createLoadBalancerRule", params=dict(
    name="lc", algorithm="roundrobin", publicport=80, privateport=80, publicipid=address.id, networkid=tier.id))
web = [b for b in lb.list_balancers() if b.id == answer["loadbalancer"]["id"]][0]
assert web.name == "lc" and web.ip == address.address, web
lb.balancer_attach_member(web, Member(id=node.id, ip=node.private_ips[0], port=80))
assert [m.id for m in lb.balancer_list_members(web)] == [node.id]
lb.balancer_detach_member(web, Member(id=node.id, ip=node.private_ips[0], port=80))
lb.destroy_balancer(web)  # releases the address too

driver.ex_delete_tags([node.id], "UserVm", ["stage"])
driver.destroy_node(node, ex_expunge=True)
driver.ex_delete_network(tier)
driver.ex_delete_vpc(vpc)
assert not [v for v in driver.ex_list_vpcs() if v.id == vpc.id], "the VPC is still there"
print("libcloud: done")
