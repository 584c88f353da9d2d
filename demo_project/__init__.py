"""A small real project that uses authkit. Nobody imports it; read it from `settings`.

`settings`, `urls`, `wsgi` and `asgi` are as `startproject` makes them, with authkit added.
`articles` is what the project is about: a small magazine, its API and its rules.
`showcase` is the page at "/", and the people and texts that `manage.py demo` loads.
"""
