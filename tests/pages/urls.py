"""The pages beside the API, and a view that takes a sign-in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import include, path

from authkit.decorators import public
from tests import urls


@public
@login_required
def members(request):
    return HttpResponse(f"for {request.user.get_username()}")


urlpatterns = [
    *urls.urlpatterns,
    path("account/", include("authkit.urls_pages")),
    path("members/", members, name="members"),
]
