"""Where the test run finds authkit and the admin site.

A folder of tests that needs views of its own has a `urls.py` that adds to these, and its
tests ask for it: ``pytestmark = pytest.mark.urls("tests.api.urls")``.
"""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("auth/", include("authkit.urls")),
    path("admin/", admin.site.urls),
]
