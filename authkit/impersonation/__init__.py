"""While an administrator sees what somebody else sees: what is closed, and how it is marked."""
