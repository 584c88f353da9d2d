"""Why a decision is as it is, in words for people."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit.access.ways import Way
from authkit.kernel.decision import Decision
from authkit.kernel.explanation import Match, Step
from authkit.kernel.remedies import Remedy

STEPS = {
    "rules": gettext_lazy("the rules can be read"),
    "public": gettext_lazy("code makes it public"),
    "identity": gettext_lazy("somebody active is signed in"),
    "requirements": gettext_lazy("the endpoint exists, and what code requires is met"),
    "scopes": gettext_lazy("the credential's scopes reach it"),
    "superuser": gettext_lazy("the person is a superuser"),
    "deny_rules": gettext_lazy("no rule denies it"),
    "allow_rules": gettext_lazy("a rule allows it"),
    "silence": gettext_lazy("nothing was said"),
}
_STANDINGS = {
    "unreviewed": gettext_lazy("does not count: nobody has looked at the endpoint"),
    "locked": gettext_lazy("does not count: code has locked the action"),
    "condition_unknown": gettext_lazy("the condition is unknown here"),
}
_REMEDIES = {
    "restore_rules": gettext_lazy("Mend the rules or the database, so that the rules can be read."),
    "sync_endpoints": gettext_lazy(
        "No such endpoint or action is reached: check the spelling, or run"
        " `manage.py authkit sync`."
    ),
    "sign_in": gettext_lazy("Sign in."),
    "activate_user": gettext_lazy("Activate the account."),
    "grant_permissions": gettext_lazy("Give the Django permissions: %(what)s."),
    "prove_second_factor": gettext_lazy("Sign in with a second factor."),
    "sign_in_again": gettext_lazy("Sign in again: the endpoint wants a recent sign-in."),
    "use_wider_scope": gettext_lazy("Use a credential with the scope %(access)s."),
    "remove_deny_rules": gettext_lazy("Take away what denies it: %(what)s."),
    "review_endpoint": gettext_lazy("Have an administrator look at the endpoint %(what)s."),
    "register_condition": gettext_lazy("Register the condition of: %(what)s."),
    "give_role_or_rule": gettext_lazy(
        "Allow %(access)s to a role of theirs, or give one of: %(what)s."
    ),
    "allow_in_code": gettext_lazy("Allow %(access)s in code, for example to one of: %(what)s."),
}


def verdict(decision: Decision) -> str:
    """The answer, with its stable code."""
    if decision.conditional:
        word = _("allowed for some objects")
    else:
        word = _("allowed") if decision.allowed else _("refused")
    return f"{word} ({decision.reason})"


def step(its: Step) -> str:
    """The step that decided."""
    answers = {
        "allows": _("allows"),
        "allows_some": _("allows for some objects"),
        "refuses": _("refuses"),
    }
    return f"{STEPS[its.name]}: {answers.get(its.answer, _('passes'))}"


def match(its: Match) -> str:
    """A rule, how the person came by its role, and whether it counts."""
    line = str(its.rule)
    if len(its.path) > 1:
        included = _(" includes ").join(role.id for role in its.path)
        line += f" ({included})"
    if its.standing != "counts":
        line += f" [{_STANDINGS[its.standing]}]"
    return line


def way(slug: str, ways: list[Way]) -> Iterator[str]:
    """How somebody came by a role that they were given."""
    for its in ways:
        source = _("by the group %s") % its.group if its.group else _("given to them")
        spans = [_("from %s") % its.starts_at.isoformat()] if its.starts_at else []
        spans += [_("until %s") % its.ends_at.isoformat()] if its.ends_at else []
        yield f"{slug}: {', '.join([source, *spans])}"
    if not ways:
        yield _("%s: built in") % slug


def remedy(its: Remedy) -> str:
    """One thing that would have to change."""
    what = [*its.permissions, *map(str, its.rules), *(role.id for role in its.roles)]
    return str(_REMEDIES[its.code]) % {
        "access": its.access or "",
        "what": ", ".join(what) or _("none that there is"),
    }
