"""The admin site, over HTTP."""
