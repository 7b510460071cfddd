#!/usr/bin/python
"""Entry point: the management server has it executed with the name of an item file in /var/cache/cloud."""
import os
import sys

import configure
import forward
import merge
from cs import compare

CACHE = "/var/cache/cloud"


def main():
    if len(sys.argv) != 2:
        sys.stderr.write("usage: update_config.py FILE\n")
        return 1
    path = os.path.join(CACHE, sys.argv[1])
    if not os.path.isfile(path):
        sys.stderr.write("update_config.py: no file %s\n" % path)
        return 1
    bag = merge.take(path)
    balancing = merge.stored("loadbalancer")
    if balancing is not None:
        configure.balance(balancing)
    if bag["id"] == "forwardrules" and getattr(compare, "FORWARDS", True):
        forward.apply(bag)
    configure.others()
    return 0


if __name__ == "__main__":
    sys.exit(main())
