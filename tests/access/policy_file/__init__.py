"""Mirrors `authkit.access.policy_file`."""
