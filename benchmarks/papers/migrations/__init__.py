"""The table of papers."""
