"""Mirrors authkit/jwt/."""
