"""Mirrors authkit/accounts/."""
