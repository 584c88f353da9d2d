"""A small magazine: articles that people write and publish, and what it sold."""
