import subprocess

ALLOW = "INPUT -p tcp -m tcp -d %s --dport %s -m state --state NEW -j ACCEPT"


def before():
    pass


def same(live, new):
    return live == new


def after(bag):
    """Adds a rule for each address, again on every push, and deletes the copies from before."""
    rules = bag["config"][0]
    present = [line for line in run("iptables-save") if line.startswith("-A INPUT")]
    for rule in rules["add_rules"]:
        run("iptables -t filter -A " + ALLOW % tuple(rule.split(":")[:2]))
    for rule in rules["remove_rules"]:
        run("iptables -t filter -D " + ALLOW % tuple(rule.split(":")[:2]))
    for line in present:
        run("iptables -t filter -D" + line[2:])
    with open("/etc/iptables/rules.v4", "w") as f:
        f.write("\n".join(run("iptables-save")) + "\n")


def run(command):
    shell = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE)
    return shell.communicate()[0].decode("utf-8").splitlines()
