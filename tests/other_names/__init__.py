"""The app of a project that gives our models, and Django's, names of its own: by proxies."""
