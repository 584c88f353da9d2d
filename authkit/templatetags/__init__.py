"""What templates ask: ``{% load authkit %}``."""
