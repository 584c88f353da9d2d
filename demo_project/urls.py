"""Every address of the demo project."""

from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path

urlpatterns = [
    path("", include("demo_project.showcase.urls")),
    path("api/", include("demo_project.articles.urls.api")),
    path("reports/", include("demo_project.articles.urls.reports")),
    path("auth/", include("authkit.urls")),  # authkit: the API
    path("account/", include("authkit.urls_pages")),  # authkit: the pages
    path("admin/", admin.site.urls),
    *staticfiles_urlpatterns(),  # with DEBUG only, so that gunicorn shows the page as well
]
