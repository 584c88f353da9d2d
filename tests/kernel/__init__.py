"""Mirrors authkit/kernel/."""
