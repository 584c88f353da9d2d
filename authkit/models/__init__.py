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
from authkit.models.social_account import SocialAccount
from authkit.models.social_moment import PausedSignIn, SpentState
from authkit.models.social_provider import SocialProvider
from authkit.models.social_role import ClaimRole
from authkit.models.throttle import Throttle
from authkit.models.user_session import UserSession

__all__ = [
    "AccessRevision",
    "Assignment",
    "AuditEvent",
    "BearerToken",
    "Change",
    "ClaimRole",
    "Endpoint",
    "Invitation",
    "LinkKey",
    "PausedSignIn",
    "Role",
    "Rule",
    "SignInName",
    "SocialAccount",
    "SocialProvider",
    "SpentState",
    "Throttle",
    "UserSession",
]
