"""One address for the requests that are measured, and the doors of sign_in.py."""

from django.urls import include, path
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from benchmarks.views import MinimalView

urlpatterns = [
    path("", MinimalView.as_view()),
    path("auth/", include("authkit.urls")),
    path("drf/", obtain_auth_token),
    path("simplejwt/", TokenObtainPairView.as_view()),
    path("simplejwt/refresh/", TokenRefreshView.as_view()),
]
