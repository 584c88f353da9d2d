"""Why a decision is as it is, in words for people: on pages, and in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit import wording
from authkit.access.ways import Way
from authkit.kernel.decision import Decision, Reason
from authkit.kernel.explanation import Match, Step, StepName
from authkit.kernel.policy import Role, Rule, Standing
from authkit.kernel.remedies import Remedy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"

STEPS: Mapping[StepName, Text] = {
    "rules": gettext_lazy("Are the rules whole and valid?"),
    "public": gettext_lazy("Does code make it public?"),
    "identity": gettext_lazy("Is somebody signed in, with an active account?"),
    "requirements": gettext_lazy("Is what code requires met?"),
    "scopes": gettext_lazy("Do the credential's scopes reach this far?"),
    "superuser": gettext_lazy("Are they a superuser?"),
    "deny_rules": gettext_lazy("Does a rule deny it?"),
    "allow_rules": gettext_lazy("Does a rule allow it?"),
    "silence": gettext_lazy("And if no rule says anything?"),
}

REASONS: Mapping[Reason, Text] = {
    "rules_unavailable": gettext_lazy("The rules cannot be read, so nobody gets in."),
    "public": gettext_lazy("Code makes it public."),
    "anonymous": gettext_lazy("Nobody is signed in, and no rule lets strangers in."),
    "inactive": gettext_lazy("The account is deactivated."),
    "unknown_endpoint": gettext_lazy("There is no such endpoint."),
    "unknown_action": gettext_lazy("The endpoint has no such action."),
    "endpoint_not_active": gettext_lazy(
        "The endpoint is missing, or nobody has looked at it since it appeared."
    ),
    "requirement_not_met": gettext_lazy("A permission that code requires is missing."),
    "second_factor_required": gettext_lazy("Code requires a second factor."),
    "recent_sign_in_required": gettext_lazy("Code requires a recent sign-in."),
    "scope_insufficient": gettext_lazy("The credential's scopes do not reach this far."),
    "superuser": gettext_lazy("They are a superuser."),
    "denied_by_rule": gettext_lazy("A rule denies it, and that wins."),
    "allowed_by_rule": gettext_lazy("A rule allows it."),
    "allowed_if": gettext_lazy("A rule allows it for some objects."),
    "condition_not_met": gettext_lazy("A rule would allow it, but not for this object."),
    "condition_unknown": gettext_lazy("A rule has a condition that is unknown here."),
    "no_rule": gettext_lazy("No rule allows it, and silence refuses."),
}

STANDINGS: Mapping[Standing, Text] = {
    "counts": gettext_lazy("counts"),
    "unreviewed": gettext_lazy("does not count: nobody has looked at the endpoint since"),
    "locked": gettext_lazy("does not count: only code allows here"),
    "condition_unknown": gettext_lazy("its condition is unknown here"),
}


ANSWERS: Mapping[str, Text] = {
    "passes": gettext_lazy("goes on"),
    "allows": gettext_lazy("allowed"),
    "allows_some": gettext_lazy("allowed for some objects"),
    "refuses": gettext_lazy("refused"),
}


def verdict(decision: Decision) -> str:
    """The answer, with its stable code."""
    answers = {True: "allows", False: "refuses", None: "allows_some"}
    return f"{ANSWERS[answers[decision.allowed]]} ({decision.reason})"


def step_text(step: Step) -> str:
    """A step and its answer: ``Does a rule allow it? allowed``."""
    return f"{STEPS[step.name]} {ANSWERS[step.answer]}"


def match_text(match: Match) -> str:
    """A rule, how the person came by its role, and whether it counts."""
    line = str(match.rule)
    if len(match.path) > 1:
        line += " ({})".format(_(" includes ").join(role.id for role in match.path))
    if match.standing != "counts":
        line += f" [{STANDINGS[match.standing]}]"
    return line


def way_text(group: str, until: str = "", since: str = "") -> str:
    """How somebody came by a role that was given; the times as the reader writes them."""
    how = _("by the group “%(group)s”") % {"group": group} if group else _("given to them")
    if since:
        how = _("%(how)s, from %(since)s") % {"how": how, "since": since}
    return _("%(how)s, until %(until)s") % {"how": how, "until": until} if until else how


def ways_text(slug: str, ways: list[Way]) -> Iterator[str]:
    """Every way to a role, for the terminal; none: it is built in."""
    for way in ways:
        times = [moment.isoformat() if moment else "" for moment in (way.ends_at, way.starts_at)]
        yield f"{slug}: {way_text(way.group, *times)}"
    if not ways:
        yield _("%s: built in") % slug


def rule_text(rule: Rule, labels: Mapping[str, str]) -> str:
    """A rule without its role: ``allow api.article:update if their own articles``."""
    effect = _("allow") if rule.effect == "allow" else _("deny")
    words = {"effect": effect, "where": f"{rule.endpoints}:{','.join(rule.actions)}"}
    if rule.condition is None:
        return _("%(effect)s %(where)s") % words
    words["condition"] = labels.get(rule.condition, rule.condition)
    return _("%(effect)s %(where)s if %(condition)s") % words


def remedy_text(remedy: Remedy, labels: Mapping[str, str]) -> str:
    """What would have to change, in one sentence."""
    rules = "; ".join(f"{rule_text(r, labels)} ({r.role})" for r in remedy.rules)
    words = {
        "access": str(remedy.access or ""),
        "permissions": ", ".join(remedy.permissions),
        "rules": rules,
        "roles": _names(remedy.roles),
    }
    return _remedy(remedy) % words


def _remedy(remedy: Remedy) -> str:
    if remedy.code == "give_role_or_rule" and remedy.roles:
        return _(
            "Give them one of these roles: %(roles)s; or give a role of theirs a rule that"
            " allows %(access)s."
        )
    if remedy.code == "review_endpoint" and remedy.rules:
        return _("Look at the endpoint and mark it so; then this counts: %(rules)s.")
    if remedy.code == "allow_in_code" and remedy.roles:
        return _(
            "Code has locked it. Give them one of the roles that code allows: %(roles)s; or"
            " change the code."
        )
    return {
        "restore_rules": _("Mend the rules: they cannot be read."),
        "sync_endpoints": _(
            "The URLconf does not reach it. If it should, run “manage.py authkit sync”."
        ),
        "sign_in": _("Sign in; or let strangers in, by a rule of the role “anyone”."),
        "activate_user": _("Activate the account."),
        "grant_permissions": _("Give them these permissions: %(permissions)s."),
        "prove_second_factor": _("They sign in with a second factor."),
        "sign_in_again": _("They sign in again."),
        "use_wider_scope": _("Use a credential whose scopes reach %(access)s."),
        "remove_deny_rules": _("Remove what denies it, or take the role away: %(rules)s."),
        "review_endpoint": _("Look at the endpoint and mark it so."),
        "register_condition": _(
            "Code registers the condition again, or the rule changes: %(rules)s."
        ),
        "give_role_or_rule": _("Give a role of theirs a rule that allows %(access)s."),
        "allow_in_code": _("Code has locked it, and allows nobody: change the code."),
    }[remedy.code]


def _names(roles: tuple[Role, ...]) -> str:
    return ", ".join(map(wording.role_name, roles))
