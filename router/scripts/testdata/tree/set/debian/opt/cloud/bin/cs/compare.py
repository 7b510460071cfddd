def before():
    pass


def same(live, new):
    return set(live) == set(new)
