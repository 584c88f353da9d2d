"""Signing in as somebody else."""
