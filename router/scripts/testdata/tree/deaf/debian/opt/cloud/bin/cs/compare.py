FORWARDS = False


def before():
    pass


def same(live, new):
    return live == new
