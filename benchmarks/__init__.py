"""How long authkit takes, beside its peers. See README.md in this folder."""
