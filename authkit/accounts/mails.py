"""Mails to people: rendered in the request, sent after the transaction commits.

The templates are ``authkit/mail/NAME.subject.txt``, ``NAME.txt`` and ``NAME.html``; a
project overrides each. A mail that cannot be sent is logged and audited, and spoils
nothing: who asked can ask again.

Sending takes as long as a mail server likes, and who is sent nothing would be answered
faster. So where a mail leaves the process, a thread takes it; and where there is nobody
to write to, the mail is made all the same, and dropped.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import close_old_connections, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from authkit import audit, conf
from authkit.accounts import links
from authkit.accounts.client import client_of
from authkit.kernel.client import Client

#: What these do takes no longer than to drop the mail.
_STAYS_HERE = tuple(
    f"django.core.mail.backends.{name}.EmailBackend"
    for name in ("locmem", "dummy", "console", "filebased")
)
_SENDERS = 2
#: Page -> how long the keys work that lead there.
_LIFETIMES = {
    "reset": "password_reset_lifetime",
    "verify": "email_key_lifetime",
    "sign_up": "invitation_lifetime",
}

_logger = logging.getLogger("authkit")


@sensitive_variables("context", "message", "key")
def send(
    name: str,
    address: str,
    *,
    request: HttpRequest | None,
    user: AbstractBaseUser | None = None,
    page: str = "home",
    key: str = "",
    **context: Any,
) -> None:
    """Send a mail when the transaction has committed; to an empty address, none.

    Args:
        name: of its templates.
        address: whose it is.
        request: by which it was caused.
        user: to whom it is, if they have an account.
        page: to which its link leads.
        key: in that link.
        context: what else its templates say.
    """
    with translation.override(_language_for(user, request)):
        shared = {
            "user": user,
            "address": address,
            "key": key,
            "link": links.link_to(page, request, key),
            "holds": _lifetime_in_words(page) if key else "",
            "site": links.site_of(request) or gettext("our site"),
        }
        message = _render(name, address or "nobody@example.com", {**shared, **context})
    message.message().as_bytes()
    if not address:
        return
    client = client_of(request)
    transaction.on_commit(lambda: _hand_over(message, name, user, client), robust=True)


def _language_for(user: AbstractBaseUser | None, request: HttpRequest | None) -> str:
    """The language of the request, if whoever makes it may be whom it is written to.

    Where somebody else makes it (an administrator), that says nothing of the reader. Django
    keeps nobody's language, so it is LANGUAGE_CODE then.
    """
    sender: Any = getattr(request, "user", None)
    is_known = sender is not None and sender.is_authenticated
    is_other = is_known and user is not None and sender.pk != user.pk
    return settings.LANGUAGE_CODE if is_other else translation.get_language() or "en"


def _lifetime_in_words(page: str) -> str:
    """For how long the key in a link to this page works: "1 hour"."""
    lifetime, now = getattr(conf.get(), _LIFETIMES[page]), timezone.now()
    return timesince(now - lifetime, now).replace("\N{NO-BREAK SPACE}", " ")


def _render(name: str, address: str, context: Mapping[str, Any]) -> EmailMultiAlternatives:
    subject = render_to_string(f"authkit/mail/{name}.subject.txt", {**context})
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=render_to_string(f"authkit/mail/{name}.txt", {**context}),
        to=[address],
    )
    html = render_to_string(f"authkit/mail/{name}.html", {**context})
    message.attach_alternative(html, "text/html")
    return message


def _hand_over(
    message: EmailMultiAlternatives, name: str, user: AbstractBaseUser | None, client: Client
) -> None:
    if _stays_here():
        _send(message, name, user, client)
    else:
        _senders().submit(_send_aside, message, name, user, client)


def _stays_here() -> bool:
    # From 6.1 on the backend is named by MAILERS, if there are any, and by EMAIL_BACKEND if not.
    mailers = getattr(mail, "mailers", None)
    try:
        backend = mail.get_connection() if mailers is None else mailers.default
    except Exception:  # noqa: BLE001 - it is raised again, and told, where the mail is sent
        return False
    return f"{type(backend).__module__}.{type(backend).__qualname__}" in _STAYS_HERE


def _send_aside(*arguments: Any) -> None:
    try:
        _send(*arguments)
    finally:
        close_old_connections()


def _send(
    message: EmailMultiAlternatives, name: str, user: AbstractBaseUser | None, client: Client
) -> None:
    is_sent = False
    try:
        is_sent = bool(message.send())
    finally:  # a backend may raise anything: whoever called us says what, this says that
        if not is_sent:
            _logger.error("The mail %r could not be sent.", name, exc_info=sys.exc_info()[1])
            subject = "" if user is None else user.pk
            audit.record("mail.failed", subject=subject, client=client, data={"mail": name})


@lru_cache(maxsize=1)
def _senders() -> ThreadPoolExecutor:
    """Threads of this process; it waits for them when it ends."""
    return ThreadPoolExecutor(_SENDERS, thread_name_prefix="authkit-mail")
