def before():
    print "only python 2 takes this"


def same(live, new):
    return set(live) == set(new)
