import subprocess
import sys
import time


def before():
    pass


def same(live, new):
    sys.stdout.write("waiting for something that never comes\n")
    subprocess.Popen(["/bin/sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1000; done"], start_new_session=True)
    while True:
        time.sleep(1000)
