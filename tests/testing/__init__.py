"""Mirrors `authkit.testing`."""
