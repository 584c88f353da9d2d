"""Sign in at Demo ID, consent, and the endpoints of OpenID Connect below ``/o/``."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from demo_project.demo_id.known import PASSWORD, PEOPLE

urlpatterns = [
    path(
        "login/",
        LoginView.as_view(
            template_name="demo_id/login.html",
            extra_context={"names": [person[0] for person in PEOPLE], "password": PASSWORD},
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
