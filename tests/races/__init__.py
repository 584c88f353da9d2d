"""Several processes at once: what they must agree on, whoever is faster."""
