"""The administrator's house. Importing it registers its pages with the admin site.

A project that wants them otherwise unregisters one and registers a subclass of it. Where
people have Django's own page, `AuthkitUserAdmin` takes its place.
"""

from django.contrib import admin

from authkit.admin.assignment import AssignmentAdmin
from authkit.admin.audit_event import AuditEventAdmin
from authkit.admin.bearer_token import BearerTokenAdmin
from authkit.admin.endpoint import EndpointAdmin
from authkit.admin.invitation import InvitationAdmin
from authkit.admin.lockout import LockoutAdmin
from authkit.admin.person import AuthkitUserAdmin, PersonAdmin, stand_in_for_djangos
from authkit.admin.role import RoleAdmin
from authkit.admin.user_session import UserSessionAdmin

__all__ = [
    "AssignmentAdmin",
    "AuditEventAdmin",
    "AuthkitUserAdmin",
    "BearerTokenAdmin",
    "EndpointAdmin",
    "InvitationAdmin",
    "LockoutAdmin",
    "PersonAdmin",
    "RoleAdmin",
    "UserSessionAdmin",
]

stand_in_for_djangos(admin.site)
