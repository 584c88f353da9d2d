"""Mirrors `authkit.templatetags`."""
