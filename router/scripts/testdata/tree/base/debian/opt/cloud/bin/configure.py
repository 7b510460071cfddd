"""Makes the router what the bags say."""
import logging
import os
import shutil
import subprocess

from cs import compare

NEW = "/etc/haproxy/haproxy.cfg.new"
LIVE = "/etc/haproxy/haproxy.cfg"

logging.basicConfig(filename="/var/log/cloud.log", level=logging.INFO)


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return f.readlines()


def haproxy_runs():
    listing = subprocess.check_output("ps aux", shell=True).decode("utf-8", "replace")
    return any("/run/haproxy.pid" in line.split() for line in listing.splitlines())


def balance(bag):
    compare.before()
    with open(NEW, "w") as f:
        for element in bag["config"][0]["configuration"]:
            for line in element.split("\n"):
                f.write(line + "\n")
    if compare.same(lines(LIVE), lines(NEW)):
        logging.info("nothing to do")
    else:
        replace()
    if hasattr(compare, "after"):
        compare.after(bag)


def replace():
    shutil.copy2(NEW, LIVE)
    verb = "reload" if haproxy_runs() else "restart"
    logging.info("%s of haproxy", verb)
    subprocess.call(["systemctl", verb, "haproxy"])


def others():
    for unit in ("conntrackd", "keepalived"):
        subprocess.call(["systemctl", "stop", unit])
