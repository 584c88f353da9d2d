"""The administrator's house. Importing it registers its pages with the admin site.

A project that wants them otherwise unregisters one and registers a subclass of it.
"""

from authkit.admin.audit_event import AuditEventAdmin
from authkit.admin.bearer_token import BearerTokenAdmin
from authkit.admin.explain import ExplainAdmin
from authkit.admin.invitation import InvitationAdmin
from authkit.admin.lockout import LockoutAdmin
from authkit.admin.matrix import MatrixAdmin
from authkit.admin.user_session import UserSessionAdmin

__all__ = [
    "AuditEventAdmin",
    "BearerTokenAdmin",
    "ExplainAdmin",
    "InvitationAdmin",
    "LockoutAdmin",
    "MatrixAdmin",
    "UserSessionAdmin",
]
