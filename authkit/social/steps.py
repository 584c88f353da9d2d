"""The typed steps of the pipeline, each from a sign-in to a sign-in that has come further.

A project writes steps of its own like these, and puts their path into SOCIAL_AUTH_PIPELINE::

    @step
    def require_customer(sign_in: SocialSignIn) -> SocialSignIn | Pause:
        if not is_customer(sign_in.identity.subject):
            raise NotAdmitted("no_customer")
        return sign_in

A step that returns a `Pause` is run again with the person's answer, and so are those after it;
what it has kept is for itself alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.translation import gettext as _

from authkit.accounts import sign_in as door
from authkit.exceptions import SignInRefused
from authkit.social import emails, linking, pausing, provider_tokens, roles
from authkit.social.kinds import kind_of
from authkit.social.refusals import EmailInUse, NotAdmitted, SignUpClosed
from authkit.social.sign_in import Identity, Pause, SocialSignIn

Step = Callable[[SocialSignIn], "SocialSignIn | Pause"]
_CODE_LENGTH = 8
#: What the answer says of tokens, and is no claim about a person.
_NO_CLAIMS = frozenset(
    {"access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope"}
    | {"oauth_token", "oauth_token_secret", "oauth_verifier"}
    | {"nonce", "at_hash", "c_hash", "s_hash", "sid", "jti"}
)


def step(function: Step) -> Callable[..., Any]:
    """Make a typed step one of python-social-auth's."""

    @wraps(function)
    def run(*args: Any, backend: Any, strategy: Any, pipeline_index: int, **kwargs: Any) -> Any:
        sign_in = _sign_in_of(backend, strategy, kwargs)
        outcome = function(sign_in)
        if isinstance(outcome, Pause):
            return pausing.pause(outcome, sign_in, backend, pipeline_index, kwargs)
        outcome = _without_kept(outcome)
        strategy.sign_in = outcome
        return {
            "sign_in": outcome,
            "user": outcome.user,
            "social": outcome.account,
            "is_new": outcome.is_new,
        }

    return run


@step
def admit(sign_in: SocialSignIn) -> SocialSignIn:
    """Let in who has a verified address, and a membership, that the provider's row asks for."""
    provider = sign_in.provider
    if provider.email_domains:
        domain = sign_in.email.rpartition("@")[2].lower()
        if domain not in {each.lower() for each in provider.email_domains}:
            raise NotAdmitted("email_domain")
    if provider.organisations and not set(provider.organisations) & set(sign_in.organisations):
        raise NotAdmitted("organisation")
    return sign_in


@step
def find_person(sign_in: SocialSignIn) -> SocialSignIn:
    """Find who has linked this identity; nothing else finds anybody."""
    if sign_in.person is not None:
        account = linking.account_of(sign_in.identity)
        return replace(sign_in, user=sign_in.person, account=account)
    return _found(sign_in)


@step
def ask_for_email(sign_in: SocialSignIn) -> SocialSignIn | Pause:
    """Ask a new person for an address that the provider does not tell, and verify it by mail."""
    is_wanted = sign_in.provider.needs_email or emails.is_needed()
    if sign_in.user is not None or sign_in.email or not is_wanted:
        return sign_in
    kept = sign_in.answers.get("kept") or {}
    code = sign_in.answers.get("code")
    if isinstance(code, str) and "code" in kept:
        if constant_time_compare(code.strip().upper(), kept["code"]):
            return replace(sign_in, email=kept["email"])
        return Pause("email_code", _("That is not the code. Please look again."), kept)
    address = sign_in.answers.get("email")
    if not isinstance(address, str) or not emails.is_address(address):
        return Pause("email", _("Which e-mail address is yours?"))
    code = get_random_string(_CODE_LENGTH, "ABCDEFGHJKMNPQRSTUVWXYZ23456789")
    emails.send_code(address, code, sign_in.request)
    return Pause(
        "email_code",
        _("We have sent you a code. Please enter it here."),
        {"code": code, "email": address},
    )


@step
def meet_namesake(sign_in: SocialSignIn) -> SocialSignIn | Pause:
    """Where somebody here has this address: offer the link, and take it for proof only.

    The address is the caller's, by the provider's word or by our mail. The account may be
    theirs as well, and then they can prove it; or a stranger registered it, and then it
    stands in nobody's way.
    """
    if sign_in.user is not None or not sign_in.email or sign_in.has_own_account:
        return sign_in
    others = emails.namesakes(sign_in.email)
    if not others:
        return sign_in
    sign_in = _found(sign_in)
    if sign_in.user is not None:  # the namesake is who came back a moment earlier
        return sign_in
    password = sign_in.answers.get("password")
    if isinstance(password, str) and password:
        name = sign_in.answers.get("username") or others[0].get_username()
        user = door.check_password(sign_in.request, str(name), password)
        if user.pk not in {other.pk for other in others}:
            raise SignInRefused("proved to be somebody without this address")
        return replace(sign_in, user=user)
    if sign_in.answers.get("new_account") is True:
        return replace(sign_in, has_own_account=True)
    return Pause(
        "link",
        _(
            "An account here has your e-mail address. If it is yours, enter its password to link"
            " it. If not, go on with a new account."
        ),
    )


@step
def enrol(sign_in: SocialSignIn) -> SocialSignIn:
    """Link the identity, to whoever was found or to a new person."""
    if sign_in.user is not None:
        account = linking.link(sign_in, sign_in.user)
        return replace(sign_in, account=account)
    policy = sign_in.provider.sign_up
    if policy == "nobody" or (policy == "verified" and not sign_in.email):
        raise SignUpClosed(f"sign_up_{policy}")
    email = sign_in.email
    if email and emails.namesakes(email):
        sign_in = _found(sign_in)
        if sign_in.user is not None:
            return sign_in
        if emails.is_needed() or emails.is_proved_here(email):
            email = ""  # it is another account's
    if emails.is_needed() and not email:
        raise EmailInUse
    account, is_new = linking.sign_up(sign_in, email)
    return replace(sign_in, user=account.user, account=account, is_new=is_new)


@step
def keep_tokens(sign_in: SocialSignIn) -> SocialSignIn:
    """Keep the provider's tokens, sealed, if its row asks for it."""
    if sign_in.account is not None and sign_in.provider.keeps_tokens:
        provider_tokens.keep(sign_in.account, sign_in.tokens)
    return sign_in


@step
def give_roles(sign_in: SocialSignIn) -> SocialSignIn:
    """Give the roles of new people, and those that the claims say."""
    if sign_in.account is not None:
        roles.follow(sign_in.account, sign_in.provider, sign_in.claims, is_new=sign_in.is_new)
    return sign_in


def _found(sign_in: SocialSignIn) -> SocialSignIn:
    account = linking.account_of(sign_in.identity)
    if account is None:
        return sign_in
    if not account.user.is_active:
        raise SignInRefused("the linked account is deactivated")
    return replace(sign_in, user=account.user, account=account)


def _without_kept(sign_in: SocialSignIn) -> SocialSignIn:
    """For the next step: what one has kept (a code, say) proves nothing to another."""
    answers = {name: value for name, value in sign_in.answers.items() if name != "kept"}
    return replace(sign_in, answers=answers)


def _sign_in_of(backend: Any, strategy: Any, kwargs: dict[str, Any]) -> SocialSignIn:
    """What the step before handed on; else what is known at the first, or where it waited."""
    known = kwargs.get("sign_in")
    if isinstance(known, SocialSignIn):
        return known
    provider, response = strategy.provider, kwargs.get("response") or {}
    address, is_verified = emails.address_of(provider, response)
    claims = {name: value for name, value in response.items() if name not in _NO_CLAIMS}
    told, asked = _organisations(backend, response)
    if asked:
        claims[kind_of(provider.kind).organisation_claim] = [*told, *asked]
    begun = SocialSignIn(
        provider=provider,
        identity=Identity(provider.slug, provider.issuer, str(kwargs["uid"])),
        email=address if is_verified else "",
        told_email=address,
        details=kwargs.get("details") or {},
        claims=claims,
        organisations=(*told, *asked),
        person=strategy.person,
        tokens=provider_tokens.told_in(response),
        answers=strategy.answers,
        request=strategy.request,
    )
    return pausing.restored(begun, kwargs.get("reached") or {})


def _organisations(backend: Any, response: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The organisations in the answer about a person, and those that are asked for beside it."""
    provider = backend.strategy.provider
    if not provider.asks_organisations:
        return [], []
    claim = kind_of(provider.kind).organisation_claim
    told = response.get(claim) if claim else None
    listed = told if isinstance(told, list) else [told]
    found = [each for each in listed if isinstance(each, str) and each]
    return found, backend.organisations(str(response.get("access_token", "")))
