"""The page at "/". What it shows of a cookie comes from here: scripts cannot read that."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authkit.decorators import public
from authkit.models import SocialProvider
from demo_project.showcase import demo_id
from demo_project.showcase.endpoints import ENDPOINTS
from demo_project.showcase.people import PASSWORD, PEOPLE


@public
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Explains the three ways in. `?as=alice` fills the form in with one of the demo's people."""
    chosen = next((person for person in PEOPLE if person.username == request.GET.get("as")), None)
    get_token(request)  # sets the CSRF cookie
    return render(
        request,
        "showcase/home.html",
        {
            "people": PEOPLE,
            "chosen": chosen,
            "password": PASSWORD if settings.DEBUG else "",
            "endpoints": ENDPOINTS,
            "session_cookie": _masked(request, settings.SESSION_COOKIE_NAME),
            "csrf_cookie": _masked(request, settings.CSRF_COOKIE_NAME),
        },
    )


@public
@never_cache
@require_safe
def dance(request: HttpRequest) -> HttpResponse:
    """Shows each arrow of a sign-in with Demo ID; it comes back to this page with the code."""
    is_there = SocialProvider.objects.filter(slug=demo_id.SLUG, is_enabled=True).exists()
    return render(request, "showcase/dance.html", {"is_there": is_there})


def _masked(request: HttpRequest, name: str) -> dict[str, str]:
    """A cookie's name and the first four characters of its value."""
    value = request.COOKIES.get(name, "")
    return {"name": name, "value": value[:4] + "•" * len(value[4:])}
