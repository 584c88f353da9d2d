"""A project whose views somebody has to guard: papers, their owners and their readers."""
