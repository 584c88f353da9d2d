"""Who may do what: endpoints, conditions, and the questions that a project asks."""

from authkit.access.conditions import condition
from authkit.access.holders import who_can
from authkit.access.questions import Reach, access_of, can, decide, explain, visible

__all__ = ["Reach", "access_of", "can", "condition", "decide", "explain", "visible", "who_can"]
