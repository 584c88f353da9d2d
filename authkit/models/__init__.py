"""Everything that authkit stores."""

from authkit.models.audit_event import AuditEvent
from authkit.models.bearer_token import BearerToken
from authkit.models.change import Change
from authkit.models.user_session import UserSession

__all__ = ["AuditEvent", "BearerToken", "Change", "UserSession"]
