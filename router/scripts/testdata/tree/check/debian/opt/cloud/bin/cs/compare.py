import subprocess


def before():
    pass


def same(live, new):
    if live == new:
        return True
    check = subprocess.Popen(["haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg.new"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = check.communicate()[0]
    if check.returncode != 0:
        raise Exception("haproxy config is invalid with error \n%s" % said.decode("utf-8", "replace"))
    return False
