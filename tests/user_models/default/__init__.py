"""The user model that Django brings: nothing to add."""
