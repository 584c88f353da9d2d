"""``manage.py authkit``."""
