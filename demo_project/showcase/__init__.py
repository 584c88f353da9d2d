"""The page at "/" and what the demo is filled with. A project of your own needs none of it."""
