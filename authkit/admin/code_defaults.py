"""What code says of a rule: whether it is code's own, edited, or locked; and back to that."""

from __future__ import annotations

from django.utils.translation import gettext as _

from authkit.access import defaults, discovery
from authkit.admin.base import Text
from authkit.kernel.patterns import has_action
from authkit.models import Role, Rule


def origin_of(rule: Rule) -> Text:
    """Whose word a rule is, with a lock on what code has fixed."""
    if rule.pk is None:
        return ""
    if _is_locked(rule):
        return "🔒 " + (_("code") if rule.source == Rule.Source.CODE else _("locked by code"))
    if rule.default and defaults.is_edited(rule):
        return _("edited; code says %(rule)s") % {"rule": rule.default}
    return _("code") if rule.source == Rule.Source.CODE else _("administrator")


def save(rule: Rule) -> None:
    """Save what an administrator has made of a rule."""
    defaults.take_over(rule)
    rule.save()


def remove(rule: Rule) -> None:
    """Delete a rule; a default of code is switched off, so that it does not come again."""
    defaults.remove(rule)


def reset(role: Role) -> int:
    """Give up what administrators have made of a role's defaults; the number of places."""
    places = [drift for drift in defaults.drift() if drift.role == role.slug]
    for drift in places:
        defaults.reset(role.slug, drift.key)
    return len(places)


def _is_locked(rule: Rule) -> bool:
    endpoint = discovery.registry().endpoints.get(rule.endpoints)
    if endpoint is None:
        return False
    locked = endpoint.declared("active").locked
    return any(has_action(rule.actions.split(","), action) for action in locked)
