"""For a project's own tests: clients that are signed in, and its access matrix, pinned."""

from authkit.testing.clients import Kind, client_for
from authkit.testing.matrix import Matrix, assert_access, current_matrix, write_matrix

__all__ = ["Kind", "Matrix", "assert_access", "client_for", "current_matrix", "write_matrix"]
