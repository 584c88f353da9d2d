"""Every text that a person reads can be translated, and is."""
