"""Steps of a project's own, such as README.md describes."""

from __future__ import annotations

from authkit.models import SocialAccount
from authkit.social.pipeline import PIPELINE
from authkit.social.sign_in import Pause, SocialSignIn
from authkit.social.steps import step


@step
def ask_first(sign_in: SocialSignIn) -> SocialSignIn | Pause:
    """Ask everybody something, once in each sign-in."""
    if "kept" in sign_in.answers and (sign_in.answers["kept"] or {}).get("asked"):
        return sign_in
    return Pause("terms", "Do you agree?", {"asked": True})


@step
def ask_for_number(sign_in: SocialSignIn) -> SocialSignIn | Pause:
    """Ask for what only a customer knows."""
    if sign_in.answers.get("answer") == "4711":
        return sign_in
    return Pause("number", "Are you a customer?", asks="Customer's number")


@step
def ask_for_code(sign_in: SocialSignIn) -> SocialSignIn | Pause:
    """Ask for a code that has been sent to a telephone, as `ask_for_email` asks for its own."""
    kept = sign_in.answers.get("kept") or {}
    if "code" in kept and sign_in.answers.get("code") == kept["code"]:
        return sign_in
    return Pause("phone_code", "Which code have you got?", {"code": "PH0NE"})


def asking_after(name: str, asking: str = "ask_first") -> list[str]:
    """The pipeline, with `ask_first` or another behind the step of this name."""
    place = PIPELINE.index(f"authkit.social.steps.{name}") + 1
    return [*PIPELINE[:place], f"tests.social.steps.{asking}", *PIPELINE[place:]]


@step
def break_down(sign_in: SocialSignIn) -> SocialSignIn:
    """Do what no author of a step intends."""
    raise ValueError("a step has a fault")


def break_untyped(**_: object) -> None:
    """The same as a function of python-social-auth."""
    raise ValueError("a step has a fault")


@step
def unlink_meanwhile(sign_in: SocialSignIn) -> SocialSignIn:
    """What another request may do while this one signs in."""
    SocialAccount.objects.all().delete()
    return sign_in
