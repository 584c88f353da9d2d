"""Whether the rules that are stored fit the endpoints that there are."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name
from django.db import router
from django.db.models import Q
from django.utils import timezone

from authkit.access import closed, defaults, discovery, loading
from authkit.kernel.language import PatternError, parse_endpoint_pattern
from authkit.kernel.policy import BUILT_IN, PolicyError
from authkit.kernel.snapshot import CompiledEndpoint
from authkit.models import AccessRevision, Assignment, Role, Rule


def of_rules() -> Iterator[CheckMessage]:
    """Everything that does not fit.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    alias = router.db_for_write(AccessRevision)
    registry = discovery.registry()
    try:
        policy = loading.load(alias, settings.ROOT_URLCONF)
    except (PolicyError, PatternError) as error:
        yield Warning(
            f"The stored rules are no valid policy, so nobody is let in: {error}",
            hint="Mend the rule or role in the admin site, or import a policy file.",
            id="authkit.W122",
        )
        return
    reached = closed.reached(policy)
    yield from _closed(reached)
    yield from _of_each_rule(alias, reached)
    yield from _roles(alias, registry)


def _closed(reached: dict[str, CompiledEndpoint]) -> Iterator[CheckMessage]:
    for endpoint in closed.closed_among(reached):
        key = endpoint.key
        if endpoint.is_new:
            message = f"The endpoint {key!r} is new: rules with patterns do not count there yet."
            hint = "Look at it in the admin site, or write a rule with its very key."
        else:
            message = f"Nobody declared or ruled who may reach the endpoint {key!r}: it is closed."
            hint = "Declare it with @allow or @public, or write a rule in the admin site."
        yield Warning(message, hint=hint, id="authkit.W113")


def _of_each_rule(alias: str, reached: dict[str, CompiledEndpoint]) -> Iterator[CheckMessage]:
    rules = Rule._base_manager.using(alias).filter(is_enabled=True).select_related("role")
    matching: dict[str, list[CompiledEndpoint]] = {}
    for rule in rules.order_by("role__slug", "endpoints", "id"):
        if rule.endpoints not in matching:
            pattern = parse_endpoint_pattern(rule.endpoints)
            matching[rule.endpoints] = [its for key, its in reached.items() if pattern.matches(key)]
        endpoints = matching[rule.endpoints]
        if not endpoints:
            yield Warning(
                f"The rule {str(rule)!r} of the role {rule.role.slug!r} is about no endpoint that"
                " there is.",
                hint="Delete it, or mend the key if the view was renamed.",
                id="authkit.W114",
            )
        elif rule.condition:
            yield from _condition(rule, endpoints)


def _condition(rule: Rule, endpoints: list[CompiledEndpoint]) -> Iterator[CheckMessage]:
    """A pattern may reach models without the condition; one at least should have it."""
    without = [e for e in endpoints if rule.condition not in e.declaration.conditions]
    is_deny = rule.effect == Rule.Effect.DENY
    if without and (is_deny or len(without) == len(endpoints)):
        keys = ", ".join(sorted(each.declaration.key for each in without[:5]))
        consequence = "it denies every object there" if is_deny else "it allows nothing there"
        yield Warning(
            f"The rule {str(rule)!r} of the role {rule.role.slug!r} names the condition"
            f" {rule.condition!r}, which is not registered for the objects of {keys}:"
            f" {consequence}.",
            hint="Register the condition for that model, or change the rule.",
            id="authkit.W116",
        )


def _roles(alias: str, registry: discovery.Registry) -> Iterator[CheckMessage]:
    now = timezone.now()
    given = Assignment._base_manager.using(alias).filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now)
    )
    roles = Role._base_manager.using(alias)
    unused = (
        roles.exclude(slug__in=BUILT_IN)
        .exclude(pk__in=given.values("role"))
        .exclude(pk__in=Role.includes.through._base_manager.using(alias).values("to_role"))
    )
    for slug in unused.order_by("slug").values_list("slug", flat=True):
        yield Warning(
            f"Nobody has the role {slug!r}, and no role includes it.",
            hint="Give it to somebody, or delete it.",
            id="authkit.W115",
        )
    known = {*BUILT_IN, *roles.values_list("slug", flat=True)}
    for slug in sorted({each.role for each in defaults.declared_in(registry)} - known):
        yield Warning(
            f"Code names the role {slug!r} in @allow, and there is no such role.",
            hint="Run `manage.py authkit sync`, or mend the name.",
            id="authkit.W117",
        )
