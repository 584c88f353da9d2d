"""Mirrors `authkit.schema`: what drf-spectacular writes, in a project that uses it."""
