"""The explain page: may they, and why, or why not?"""

from authkit.admin.explain.pages import Explain, ExplainAdmin

__all__ = ["Explain", "ExplainAdmin"]
