"""Accounts as pages: ``path("account/", include("authkit.urls_pages"))``."""

from django.urls import path

from authkit.pages import account, devices, recovery, sign_in, sign_up

app_name = "authkit_pages"

urlpatterns = [
    path("", account.AccountPage.as_view(), name="account"),
    path("sign-in/", sign_in.SignInPage.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOutPage.as_view(), name="sign_out"),
    path("sign-up/", sign_up.SignUpPage.as_view(), name="sign_up"),
    path("sent/", sign_up.SentPage.as_view(), name="sent"),
    path("verify/", sign_up.VerifyPage.as_view(), name="verify"),
    path("verify/<str:key>/", sign_up.VerifyPage.as_view(), name="verify"),
    path("resend/", sign_up.ResendPage.as_view(), name="resend"),
    path("forgot/", recovery.ForgotPage.as_view(), name="forgot"),
    path("reset/", recovery.ResetPage.as_view(), name="reset"),
    path("reset/<str:key>/", recovery.ResetPage.as_view(), name="reset"),
    path("reauthenticate/", sign_in.ReauthenticatePage.as_view(), name="reauthenticate"),
    path("confirm/", account.ResendOwnPage.as_view(), name="resend_own"),
    path("unlink/", account.UnlinkPage.as_view(), name="unlink"),
    path("password/", account.PasswordPage.as_view(), name="password"),
    path("email/", account.AddressPage.as_view(), name="email"),
    path("devices/", devices.DevicesPage.as_view(), name="devices"),
    path("tokens/", devices.TokensPage.as_view(), name="tokens"),
    path("close/", account.ClosePage.as_view(), name="close"),
]
