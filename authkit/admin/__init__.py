"""The administrator's house. Importing it registers its pages with the admin site.

A project that wants them otherwise unregisters one and registers a subclass of it. Where
people have Django's own page, `AuthkitUserAdmin` takes its place. With the extra
`[social]` there are also `social_provider` and `social_account`.
"""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin

from authkit.admin.assignment import AssignmentAdmin
from authkit.admin.audit_event import AuditEventAdmin
from authkit.admin.bearer_token import BearerTokenAdmin
from authkit.admin.dashboard import DashboardAdmin
from authkit.admin.endpoint import EndpointAdmin
from authkit.admin.explain import ExplainAdmin
from authkit.admin.invitation import InvitationAdmin
from authkit.admin.lockout import LockoutAdmin
from authkit.admin.matrix import MatrixAdmin
from authkit.admin.person import AuthkitUserAdmin, PersonAdmin, stand_in_for_djangos
from authkit.admin.role import RoleAdmin
from authkit.admin.user_session import UserSessionAdmin

if find_spec("social_django"):  # the extra [social]
    import_module("authkit.admin.social_provider")
    import_module("authkit.admin.social_account")

__all__ = [
    "AssignmentAdmin",
    "AuditEventAdmin",
    "AuthkitUserAdmin",
    "BearerTokenAdmin",
    "DashboardAdmin",
    "EndpointAdmin",
    "ExplainAdmin",
    "InvitationAdmin",
    "LockoutAdmin",
    "MatrixAdmin",
    "PersonAdmin",
    "RoleAdmin",
    "UserSessionAdmin",
]

stand_in_for_djangos(admin.site)
