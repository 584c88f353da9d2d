"""What is known of Demo ID: its people, and the client that the magazine is there."""

PASSWORD = "demo-id-2026"  # noqa: S105 - public, like that of the demo
CLIENT_ID = "the-magazine"
CLIENT_SECRET = "known-to-everyone-and-good-for-the-demo"  # noqa: S105 - public as well

#: User name, first and last name, group.
PEOPLE = [
    ("vera", "Vera", "Vogel", "writers"),
    ("walter", "Walter", "Wind", ""),
    ("wanda", "Wanda", "Wiese", ""),
]
