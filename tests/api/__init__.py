"""Mirrors authkit/api/: the HTTP contract, over real requests."""
