"""The matrix: endpoints down, roles across, edited by clicking, saved as one change."""

from authkit.admin.matrix.pages import Matrix, MatrixAdmin

__all__ = ["Matrix", "MatrixAdmin"]
