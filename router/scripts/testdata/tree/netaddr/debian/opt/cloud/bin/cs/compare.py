import netaddr


def before():
    pass


def same(live, new):
    return live == new and netaddr is not None
