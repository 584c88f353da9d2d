"""Views that code has fixed."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from authkit.access.declarations import Locked, Public, note
from tests.access.urls import urlpatterns as others


def fixed(request: HttpRequest) -> HttpResponse:
    return HttpResponse("fixed")


def shut(request: HttpRequest) -> HttpResponse:
    return HttpResponse("shut")


note(fixed, Public())
note(shut, Locked())

urlpatterns = [*others, path("fixed/", fixed, name="fixed"), path("shut/", shut, name="shut")]
