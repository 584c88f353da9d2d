"""Where the API lives: ``path("auth/", include("authkit.urls"))``."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from authkit.api import access, account, addresses, oauth, passwords, registration, sign_in
from authkit.impersonation.views import WayBackPage

app_name = "authkit"

urlpatterns: list[URLPattern | URLResolver] = [
    path("session/", sign_in.SessionView.as_view(), name="session"),
    path("token/", sign_in.TokenView.as_view(), name="token"),
    path("jwt/", sign_in.JWTView.as_view(), name="jwt"),
    path("jwt/refresh/", sign_in.RefreshView.as_view(), name="jwt_refresh"),
    path("jwt/verify/", sign_in.VerifyView.as_view(), name="jwt_verify"),
    path(".well-known/jwks.json", sign_in.KeysView.as_view(), name="jwks"),
    path("me/", account.ProfileView.as_view(), name="me"),
    path("sessions/", account.SessionsView.as_view(), name="sessions"),
    path("sessions/<uuid:session_id>/", account.OneSessionView.as_view(), name="session_detail"),
    path("tokens/", account.TokensView.as_view(), name="tokens"),
    path("tokens/<slug:token_id>/", account.OneTokenView.as_view(), name="token_detail"),
    path("access/", access.AccessView.as_view(), name="access"),
    path("register/", registration.RegisterView.as_view(), name="register"),
    path("email/verify/", addresses.VerifyView.as_view(), name="email_verify"),
    path("email/verify/resend/", addresses.ResendView.as_view(), name="email_resend"),
    path("email/change/", addresses.ChangeView.as_view(), name="email_change"),
    path("password/change/", passwords.ChangeView.as_view(), name="password_change"),
    path("password/reset/", passwords.ResetView.as_view(), name="password_reset"),
    path("password/reset/confirm/", passwords.ConfirmView.as_view(), name="password_confirm"),
    path("reauthenticate/", passwords.ReauthenticateView.as_view(), name="reauthenticate"),
    path("impersonation/", WayBackPage.as_view(), name="impersonation"),
    path("introspect/", oauth.IntrospectView.as_view(), name="introspect"),
    path("revoke/", oauth.RevokeView.as_view(), name="revoke"),
]

if find_spec("social_django"):  # the extra [social]
    urlpatterns += [path("social/", include("authkit.api.social_urls"))]
