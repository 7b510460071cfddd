"""Forwards ports: what it wants is added to the nat table, and what it no longer wants is deleted."""
import shutil
import subprocess


def apply(bag):
    if shutil.which("iptables") is None:
        return
    wanted = []
    for rule in bag["config"]:
        if not rule["revoke"]:
            wanted.append("-A PREROUTING -d %s/32 -p %s -m %s --dport %s -j DNAT --to-destination %s:%s" % (
                rule["source_ip_address"], rule["protocol"], rule["protocol"], first(rule["source_port_range"]),
                rule["destination_ip_address"], first(rule["destination_port_range"])))
    present = [line for line in run("iptables-save -t nat") if line.startswith("-A PREROUTING")]
    for line in wanted:
        if line not in present:
            run("iptables -t nat " + line)
    for line in present:
        if line not in wanted:
            run("iptables -t nat -D" + line[2:])


def first(ports):
    return ports.split(":")[0]


def run(command):
    shell = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE)
    return shell.communicate()[0].decode("utf-8").splitlines()
