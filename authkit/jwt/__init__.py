"""JWTs: keys, tokens, rotation, revocation."""
