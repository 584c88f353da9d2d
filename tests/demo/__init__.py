"""The demo project, as its own settings run it: a server of its own, over HTTP."""
