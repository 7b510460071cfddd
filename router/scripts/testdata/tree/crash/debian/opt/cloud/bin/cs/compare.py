def before():
    raise RuntimeError("planted crash before the new file")


def same(live, new):
    return False
