"""From a file to the database: all of it, or nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from django.conf import settings
from django.db import router, transaction
from django.utils.translation import gettext as _

from authkit import audit
from authkit.access import acting, loading
from authkit.access.policy_file.applying import Applier
from authkit.access.policy_file.demands import look_around, require_all
from authkit.access.policy_file.document import PolicyDocument, PolicyFileError
from authkit.access.policy_file.places import Places
from authkit.access.policy_file.reading import read
from authkit.access.policy_file.stored import read_stored
from authkit.access.policy_file.writing import write
from authkit.kernel.difference import RoleChange, compare_roles
from authkit.kernel.language import PatternError
from authkit.kernel.policy import PolicyError
from authkit.kernel.snapshot import Snapshot
from authkit.models import AccessRevision
from authkit.models.access_revision import changed

#: Lines of the difference that the audit event keeps.
_MOST_AUDITED = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has changed, or would change.

    Attributes:
        difference: lines of the two files that say what was stored before and after, as
            `diff -u` writes them; none when nothing changes.
        changes: which role's holders gain and lose what.
        notes: what else whoever imports should know.
    """

    difference: tuple[str, ...]
    changes: tuple[RoleChange, ...]
    notes: tuple[str, ...]


def import_policy(
    content: bytes, *, actor: Any = None, prune: bool = False, dry_run: bool = False
) -> Imported:
    """Make what is stored say what a file says, in one transaction.

    Roles that the file names become exactly what it says of them, with one exception: a
    default that code declares stays as it is unless the file speaks of it. Roles that it
    does not name stay, unless `prune` is asked for; the built-in ones always do. Who has
    a role stays, but for groups, where the file speaks of them.

    Args:
        content: of the file.
        actor: the person on whose behalf, who can give no more than they have; None for
            whoever runs the project.
        prune: whether to delete the roles that the file does not name.
        dry_run: whether to take everything back again, once the answer is known.

    Raises:
        PolicyFileError: it is no policy file, or not one that can be had here.
        NotPermitted: it would give more than `actor` has.
        django.db.Error: the database failed.
    """
    document, places = read(content)
    alias = router.db_for_write(AccessRevision)
    with _acting(actor), transaction.atomic(using=alias):
        imported = _import(document, places, alias, actor, prune=prune)
        if dry_run:
            transaction.set_rollback(True, using=alias)
        elif imported.difference:
            data = {"difference": list(imported.difference[:_MOST_AUDITED])}
            audit.record("access.policy_imported", actor=actor, data=data)
    return imported


def _acting(actor: Any) -> AbstractContextManager[Any]:
    return nullcontext() if actor is None else acting.as_person(actor)


def _import(
    document: PolicyDocument, places: Places, alias: str, actor: Any, *, prune: bool
) -> Imported:
    changed("policy", using=alias)  # its row stays locked: one import after the other
    before = _snapshot(alias)
    has_groups = any(entry.groups is not None for entry in document.roles.values())
    stored = read_stored(alias, with_groups=has_groups)
    around = look_around(alias, document)
    require_all(document, stored, around, places, prune=prune)
    applier = Applier(alias, stored, around, actor=actor)
    applier.apply(document, prune=prune)
    try:
        after = loading.load(alias, settings.ROOT_URLCONF)
    except (PolicyError, PatternError) as error:
        problem = _("With this file, what is stored would be no valid policy: %s") % error
        raise PolicyFileError(problem) from None
    now_stored = read_stored(alias, with_groups=has_groups)
    return Imported(
        difference=_difference(stored.document, now_stored.document),
        changes=tuple(compare_roles(before, after.snapshot)),
        notes=tuple(applier.notes),
    )


def _difference(before: PolicyDocument, after: PolicyDocument) -> tuple[str, ...]:
    old, new = write(before).splitlines(), write(after).splitlines()
    return tuple(unified_diff(old, new, _("stored"), _("file"), lineterm=""))


def _snapshot(alias: str) -> Snapshot:
    """What decides so far; where that is no valid policy, an import may be what mends it."""
    try:
        return loading.load(alias, settings.ROOT_URLCONF).snapshot
    except (PolicyError, PatternError):
        return loading.without_rules(settings.ROOT_URLCONF).snapshot
