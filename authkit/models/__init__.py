"""Everything that authkit stores."""

from authkit.models.access_revision import AccessRevision
from authkit.models.assignment import Assignment
from authkit.models.audit_event import AuditEvent
from authkit.models.bearer_token import BearerToken
from authkit.models.change import Change
from authkit.models.endpoint import Endpoint
from authkit.models.invitation import Invitation
from authkit.models.link_key import LinkKey
from authkit.models.role import Role
from authkit.models.rule import Rule
from authkit.models.sign_in_name import SignInName
from authkit.models.throttle import Throttle
from authkit.models.user_session import UserSession

__all__ = [
    "AccessRevision",
    "Assignment",
    "AuditEvent",
    "BearerToken",
    "Change",
    "Endpoint",
    "Invitation",
    "LinkKey",
    "Role",
    "Rule",
    "SignInName",
    "Throttle",
    "UserSession",
]
