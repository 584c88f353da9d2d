"""What the kinds of audit event are called, for people.

The part of a kind before its first dot is its namespace. A project declares its own::

    declare("shop", _("Shop"), {"order_refunded": _("an order was refunded")})
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from authkit.kernel import visible

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise

MAX_LENGTH = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")

#: Namespaces of authkit's own.
_OURS: dict[str, Text] = {
    "login": _("Signing in"),
    "lockout": _("Lock-outs"),
    "session": pgettext_lazy("of a person", "Sessions"),
    "token": pgettext_lazy("of a person", "Tokens"),
    "account": _("Accounts"),
    "password": _("Passwords"),
    "email": _("E-mail addresses"),
    "invitation": _("Invitations"),
    "impersonation": _("Signing in as somebody else"),
    "social": _("Social login"),
    "access": _("Roles and access"),
    "mail": _("Mails"),
    "people": pgettext_lazy("of the site", "People"),
    "audit": _("The audit itself"),
}

_LABELS: dict[str, Text] = {
    "login.succeeded": _("signed in"),
    "login.failed": _("a sign-in was refused"),
    "login.renewed": _("proved again who they are"),
    "lockout.began": _("locked out"),
    "lockout.ended": _("a lock-out ended"),
    "session.ended": _("a session ended"),
    "token.created": _("a token was made"),
    "token.revoked": _("a token was revoked"),
    "token.reused": _("a refresh token was used twice"),
    "account.registered": _("made an account"),
    "account.registered_again": _("somebody registered with a known address"),
    "account.password_changed": _("the password is another"),
    "account.deactivated": _("an account was deactivated"),
    "account.closed": _("closed their account"),
    "account.deleted": _("an account was deleted"),
    "password.changed": _("changed their password"),
    "password.reset_asked": _("a new password was asked for"),
    "password.new_required": _("a password was ended, and a new one is required"),
    "password.reset": _("set a new password by mail"),
    "email.verification_asked": _("a link to confirm an address was sent"),
    "email.verified": _("confirmed an address"),
    "email.change_asked": _("another address was asked for"),
    "email.changed": _("has another address"),
    "invitation.created": _("invited somebody"),
    "invitation.used": _("an invitation was used"),
    "invitation.withdrawn": _("an invitation was taken back"),
    "impersonation.began": _("signed in as somebody else"),
    "impersonation.ended": _("went back to their own account"),
    "social.linked": _("linked an account of a provider"),
    "social.unlinked": _("an account of a provider was unlinked"),
    "social.link_failed": _("an account of a provider could not be linked"),
    "social.signed_up": _("made an account through a provider"),
    "social.roles": _("a provider's claims changed roles"),
    "social.provider_saved": _("a provider was set up"),
    "social.provider_deleted": _("a provider was removed"),
    "access.refused": _("a change of access was refused"),
    "access.policy_imported": _("a policy was imported"),
    "access.glass_broken": _("made a superuser by breakglass"),
    "access.rule_added": _("a rule was added"),
    "access.rule_changed": _("a rule was changed"),
    "access.rule_removed": _("a rule was removed"),
    "access.rules_changed": _("rules were changed"),
    "access.role_added": _("a role was added"),
    "access.role_changed": _("a role was changed"),
    "access.role_removed": _("a role was removed"),
    "access.roles_changed": _("roles were changed"),
    "access.role_includes_changed": _("what a role includes was changed"),
    "access.role_permissions_changed": _("the permissions of a role were changed"),
    "access.assignment_added": _("a role was given"),
    "access.assignment_changed": _("an assignment was changed"),
    "access.assignment_removed": _("a role was taken away"),
    "access.assignments_changed": _("assignments were changed"),
    "access.endpoint_reviewed": _("an endpoint was looked at"),
    "access.endpoint_changed": _("an endpoint is in another state"),
    "access.endpoints_changed": _("endpoints were changed"),
    "access.group_removed": _("a group was removed"),
    "access.group_permissions_changed": _("the permissions of a group were changed"),
    "access.person_groups_changed": _("the groups of a person were changed"),
    "access.person_permissions_changed": _("the permissions of a person were changed"),
    "access.person_flags_changed": _("a person's status was changed"),
    "mail.failed": _("a mail could not be sent"),
    "audit.pruned": _("old events were deleted"),
    "people.exported": _("people were exported"),
    "audit.exported": _("events were exported"),
}

#: Events of these are about a person, whose primary key is the subject.
_ABOUT_PEOPLE = (
    "account.",
    "email.",
    "impersonation.",
    "login.",
    "mail.",
    "password.",
    "session.",
    "token.",
    "social.linked",
    "social.roles",
    "social.signed_up",
    "social.unlinked",
    "lockout.",
    "access.assignment_",
    "access.glass_broken",
    "access.person_",
)

_declared: dict[str, Text] = {}
_about_people: set[str] = set()


def declare(
    namespace: str,
    verbose_name: Text,
    kinds: Mapping[str, Text],
    *,
    about_people: Iterable[str] = (),
) -> None:
    """Tell what a project's own kinds of event are called; in an app's `ready`.

    Args:
        namespace: what its kinds begin with; not one of authkit's.
        verbose_name: what the namespace is called.
        kinds: name after the dot -> what happened, in a few words.
        about_people: names of those whose subject is the primary key of a person.

    Raises:
        ValueError: a name that no kind can have, or a namespace of authkit's.
    """
    if not _NAME.fullmatch(namespace) or namespace in _OURS:
        raise ValueError(f"{namespace!r} is no namespace for a project's events")
    labels = {check(f"{namespace}.{name}"): label for name, label in kinds.items()}
    _declared[namespace] = verbose_name
    _LABELS.update(labels)
    _about_people.update(f"{namespace}.{name}" for name in about_people)


def check(kind: str) -> str:
    """The kind of a project's own event.

    Raises:
        ValueError: it is not dotted, or its namespace is one of authkit's.
    """
    if not _KIND.fullmatch(kind) or len(kind) > MAX_LENGTH:
        raise ValueError(f'{kind!r} is no kind of event: write it like "shop.order_refunded"')
    if namespace_of(kind) in _OURS:
        raise ValueError(f"{kind!r}: this namespace is authkit's own")
    return kind


def namespace_of(kind: str) -> str:
    """The part before the first dot."""
    return kind.partition(".")[0]


def label_of(kind: str) -> str:
    """What happened, in words; the kind itself where nobody has said."""
    return str(_LABELS.get(kind, kind))


def described(kind: str) -> str:
    """What happened, in words and as programs know it, on one line."""
    kind = visible.one_line(kind)
    label = label_of(kind)
    return kind if label == kind else f"{label} ({kind})"


def name_of_namespace(namespace: str) -> str:
    """What a group of kinds is called."""
    return str(_OURS.get(namespace) or _declared.get(namespace) or namespace)


def is_about_person(kind: str) -> bool:
    """Whether the subject of such an event is the primary key of a person."""
    return kind.startswith(_ABOUT_PEOPLE) or kind in _about_people


def about_people() -> Q:
    """The same, for a query."""
    found = Q(kind__in=sorted(_about_people))
    for beginning in _ABOUT_PEOPLE:
        found |= Q(kind__startswith=beginning)
    return found
