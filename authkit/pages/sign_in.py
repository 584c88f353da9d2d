"""Sign in, sign out, and give the password once more."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView, RedirectURLMixin
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from authkit.accounts import attempts, links, recent, sign_in
from authkit.exceptions import RecentSignInRequired, SignInRefused
from authkit.pages import forms, offers
from authkit.pages.account import ProvedFormPage
from authkit.pages.base import PageMixin, come_back

_ACCOUNT = reverse_lazy(f"{links.PAGES}:account")


class SignInPage(PageMixin, LoginView):
    """Where LOGIN_URL may point to."""

    template_name = "authkit/pages/sign_in.html"
    authentication_form = forms.SignInForm
    title = gettext_lazy("Sign in")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the other ways to sign in."""
        return super().get_context_data(
            providers=offers.providers(), next=self.get_redirect_url(), **kwargs
        )

    def get_default_redirect_url(self) -> str:
        """Where those go who asked for no page."""
        return super().get_default_redirect_url() if self.next_page else links.home()

    def form_valid(self, form: Any) -> Any:
        """Sign in; the session key is new, whoever was signed in before."""
        try:
            sign_in.with_cookie(self.request, form.get_user())
        except SignInRefused:
            form.add_error(None, form.get_invalid_login_error())
            return self.form_invalid(form)
        return HttpResponseRedirect(self.get_success_url())

    def form_invalid(self, form: Any) -> Any:
        """Show the form again, and why."""
        response = super().form_invalid(form)
        too_often = attempts.refusal_of(self.request)
        if too_often is not None:
            come_back(response, too_often)
        elif form.refusal is not None and form.refusal.code == "busy":
            response.status_code = 503
        return response


class SignOutPage(PageMixin, LogoutView):
    """Sign out, and ask the browser to forget."""

    next_page: Any = reverse_lazy(f"{links.PAGES}:sign_in")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Say goodbye (W3C Clear-Site-Data)."""
        response = super().dispatch(request, *args, **kwargs)
        if request.method == "POST":
            response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return response


class ReauthenticatePage(RedirectURLMixin, ProvedFormPage):
    """Where what takes a recent sign-in sends who has none; `next` leads back."""

    template_name = "authkit/pages/form.html"
    form_class = forms.OwnPasswordForm
    title = gettext_lazy("Give your password again")
    button = gettext_lazy("Go on")
    next_page: Any = _ACCOUNT
    extra_context = {  # noqa: RUF012 - as in Django
        "lead": gettext_lazy("What you are about to do is for you alone.")
    }

    def act(self, form: Any) -> None:
        """Note it with the sign-in."""
        password = form.cleaned_data.get("password")
        if password is None:
            raise RecentSignInRequired("there is none, so only another sign-in proves it")
        recent.reauthenticate(self.person, self.grant, password, self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the way back."""
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)
