"""Where social login lives, below ``social/``; there with the extra `[social]` alone."""

from django.urls import path

from authkit.api import social, social_pages

urlpatterns = [
    path("", social.OffersView.as_view(), name="social"),
    path("accounts/<int:account_id>/", social.LinkedAccountView.as_view(), name="social_account"),
    path("<slug:provider>/begin/", social.BeginView.as_view(), name="social_begin"),
    path("<slug:provider>/complete/", social.CompleteView.as_view(), name="social_complete"),
    path("<slug:provider>/resume/", social.ResumeView.as_view(), name="social_resume"),
    path("<slug:provider>/login/", social_pages.login, name="social_login"),
    path("<slug:provider>/callback/", social_pages.callback, name="social_callback"),
    path("<slug:provider>/continue/", social_pages.resume, name="social_resume_page"),
]
