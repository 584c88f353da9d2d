"""Roles from claims: what the rows of an administrator make of a provider's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from authkit import audit
from authkit.access import acting, keyholders
from authkit.models import Assignment, ClaimRole, Role, SocialAccount
from authkit.social.kinds import kind_of
from authkit.social.providers import Provider

#: Kept of each sign-in for a dry run, beside the claims that a row names.
_USUAL = ("groups", "roles", "hd", "organisations", "tid")
_MOST_VALUES = 200
_LONGEST_VALUE = 255


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rows say: roles to give, and roles to take away."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def evaluate(rows: Iterable[ClaimRole], claims: Mapping[str, Any]) -> Outcome:
    """What these rows make of these claims. Changes nothing: this is the dry run as well.

    A role that one row gives is not taken away by another.
    """
    rows = list(rows)
    gained = {row.role for row in rows if row.value in values_of(claims, row.claim)}
    in_step = {row.role for row in rows if row.mode == ClaimRole.Mode.SYNC}
    return Outcome(tuple(sorted(gained)), tuple(sorted(in_step - gained)))


def values_of(claims: Mapping[str, Any], name: str) -> list[str]:
    """The texts in a claim; ``a.b`` is the claim `b` inside of the claim `a`."""
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    listed = value if isinstance(value, list) else [value]
    return [str(each) for each in listed if isinstance(each, str | int)]


def follow(
    account: SocialAccount, provider: Provider, claims: Mapping[str, Any], *, is_new: bool
) -> Outcome:
    """Give and take what a sign-in says; the roles of new people once."""
    rows = ClaimRole.objects.filter(provider_id=provider.row_id) if provider.row_id else []
    found = evaluate(rows, claims)
    defaults = provider.default_roles if is_new else ()
    outcome = Outcome(tuple(sorted({*found.gained, *defaults})), found.lost)
    if outcome.gained or outcome.lost:
        _assign(account, outcome)
    return outcome


def take_back(account: SocialAccount) -> None:
    """Take away what was to be kept in step with an account that is being unlinked.

    Otherwise somebody could keep it for ever by unlinking in time. What another account of
    theirs has given as well stays.

    Raises:
        LastKeyholder: nobody would reach the access pages any more.
    """
    rows = ClaimRole.objects.filter(provider__slug=account.provider, mode=ClaimRole.Mode.SYNC)
    in_step = set(rows.values_list("role", flat=True)) & set(account.given_roles)
    others = SocialAccount.objects.filter(user_id=account.user_id).exclude(pk=account.pk)
    for given in others.values_list("given_roles", flat=True):
        in_step -= set(given)
    if not in_step:
        return
    actor = acting.current()
    at_stake = None if actor is None else keyholders.at_stake()
    _assign(account, Outcome(lost=tuple(sorted(in_step))))
    if actor is not None:
        keyholders.require_reachable(actor, at_stake)


def kept_claims(provider: Provider, claims: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is kept of the claims: those that decide about roles or admission."""
    named: list[str] = []
    if provider.row_id:
        rows = ClaimRole.objects.filter(provider_id=provider.row_id)
        named = list(rows.values_list("claim", flat=True))
    names = dict.fromkeys([*_USUAL, kind_of(provider.kind).organisation_claim, *named])
    found = {name: values_of(claims, name)[:_MOST_VALUES] for name in names}
    return {name: _short(values) for name, values in found.items() if values}


def _short(values: list[str]) -> list[str]:
    printable = ("".join(c for c in value if c.isprintable()) for value in values)
    return [value[:_LONGEST_VALUE] for value in printable]


def _assign(account: SocialAccount, outcome: Outcome) -> None:
    """Assign and take away. Only what a claim has given is taken away by one.

    It is the word of the superusers who wrote the rows, and not the deed of whoever is
    signed in, who could give nobody more than they hold.
    """
    given = set(account.given_roles)
    found = Role.objects.filter(slug__in=outcome.gained)
    known = {role.slug: role for role in found if role.slug in outcome.gained}  # to the letter
    gained, lost = [], [slug for slug in outcome.lost if slug in given]
    with transaction.atomic(), acting.as_system():
        for slug, role in known.items():
            if role.is_built_in:
                continue
            _, is_new = Assignment.objects.get_or_create(role=role, user_id=account.user_id)
            gained += [slug] if is_new else []
        for row in Assignment.objects.filter(role__slug__in=lost, user_id=account.user_id):
            row.delete()
        account.given_roles = sorted((given | set(gained)) - set(lost))
        if gained or lost:
            account.save(update_fields=["given_roles"])
            _record(account, gained, lost)


def _record(account: SocialAccount, gained: list[str], lost: list[str]) -> None:
    audit.record(
        "social.roles",
        subject=account.user_id,
        data={"provider": account.provider, "gained": gained, "lost": lost},
    )
