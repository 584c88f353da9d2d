"""The tests; they mirror authkit's folders."""
