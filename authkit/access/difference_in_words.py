"""Who gains and who loses by a change of policy, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from authkit import wording
from authkit.kernel.difference import RoleChange, Stance


def in_words(changes: Iterable[RoleChange]) -> Iterator[str]:
    """One line for each endpoint and role, below a line that names the role."""
    by_role: dict[str, dict[tuple[str, Stance, Stance], list[RoleChange]]] = {}
    for change in changes:
        alike = by_role.setdefault(change.role.id, {})
        alike.setdefault((change.key, change.before, change.after), []).append(change)
    for slug, groups in sorted(by_role.items()):
        first = next(iter(groups.values()))[0]
        yield _("%(name)s (%(slug)s):") % {"name": wording.role_name(first.role), "slug": slug}
        for (key, before, after), them in groups.items():
            access = f"{key}:{','.join(change.action for change in them)}"
            yield f"  {_verb(them[0])} {access}: {stance(before)} → {stance(after)}"


def stance(its: Stance) -> str:
    """What a role brings to an action: ``allow when own; deny when locked``."""
    if its.denies:
        return _("deny")
    allowed = [_("allow")] if its.allows else []
    if not its.allows:
        allowed += [_("allow when %s") % name for name in sorted(its.allows_if)]
    denied = [_("deny when %s") % name for name in sorted(its.denies_if)]
    return "; ".join([*allowed, *denied]) or _("nothing")


def _verb(change: RoleChange) -> str:
    if change.gains and change.loses:
        return _("gains and loses")
    return _("gains") if change.gains else _("loses")
