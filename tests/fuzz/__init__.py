"""Random and damaged input, at every door."""
