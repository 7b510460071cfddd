import os
import stat
import subprocess
import sys

NAME = "stackproof-escape"


def write(path):
    with open(path, "w") as f:
        f.write("1")


def attempts():
    yield "usr", lambda: write("/usr/" + NAME)
    yield "bin", lambda: write("/bin/" + NAME)
    yield "usr through process 1", lambda: write("/proc/1/root/usr/" + NAME)
    yield "self", lambda: write("/opt/stackproof/bin/stackproof-vr")
    yield "hostname of the machine", lambda: write("/proc/sys/kernel/hostname")
    yield "core pattern", lambda: write("/proc/sys/kernel/core_pattern")
    yield "sysrq", lambda: write("/proc/sysrq-trigger")
    yield "sys", lambda: write("/sys/kernel/" + NAME)
    yield "remount", lambda: subprocess.check_call(["mount", "-o", "remount,rw,bind", "/usr"], stderr=subprocess.DEVNULL)
    yield "mount", lambda: subprocess.check_call(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], stderr=subprocess.DEVNULL)
    yield "device", lambda: os.mknod("/tmp/" + NAME, stat.S_IFBLK | 0o600, os.makedev(7, 0))
    yield "chroot", climb


def climb():
    os.mkdir("/tmp/inner")
    here = os.open("/", os.O_RDONLY)
    child = os.fork()
    if child == 0:
        try:
            os.chroot("/tmp/inner")
            os.fchdir(here)
            for _ in range(64):
                os.chdir("..")
            os.chroot(".")
            # The host has a machine id or a boot folder; the sandbox's root has neither.
            os._exit(0 if os.path.exists("/boot") or os.path.exists("/etc/machine-id") else 1)
        except OSError:
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError("the top is the sandbox's root")


def before():
    for name, attempt in attempts():
        try:
            attempt()
        except (OSError, subprocess.CalledProcessError):
            sys.stdout.write("refused: %s\n" % name)
        else:
            sys.stdout.write("POSSIBLE: %s\n" % name)
    write("/etc/" + NAME)
    sys.stdout.write("its own /etc can be written\n")


def same(live, new):
    return live == new
