"""Demo ID: an OpenID provider of its own, so that "Sign in with …" works without the internet.

`manage.py demo` runs it as a second process (``manage.py serve`` with its settings). It knows
nothing of the demo but where to send people back to: other people, another database, other
cookies. It is made with django-oauth-toolkit; what is authkit's stands elsewhere.
"""
