"""Django's mail backend of the demo, and the page on which its mails land.

Whoever reads other people's mail can set their password. So both are there with DEBUG on
only, where everybody's password is known anyway.
"""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authkit.decorators import public
from demo_project.showcase.models import Mail

MOST = 50


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        mails = [
            Mail(address=address, subject=str(message.subject), text=str(message.body))
            for message in email_messages
            for address in message.recipients()
        ]
        return len(Mail.objects.bulk_create(mails))


@public
@never_cache
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """The last mails of everybody."""
    if not settings.DEBUG:
        raise Http404
    response = render(request, "showcase/mails.html", {"mails": Mail.objects.all()[:MOST]})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
