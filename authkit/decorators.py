from authkit.access.declarations import Public, Require, note


def public(v):
    return note(v, Public())


def require(*p):
    return lambda v: note(v, Require(p))
