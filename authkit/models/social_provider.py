"""A provider by whose word people sign in."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class SocialProvider(models.Model):
    """One provider, as an administrator has set it up.

    The secret is kept sealed (`authkit.sealing`) and never shown. Who signs in with it is
    known by provider, issuer and subject, so a row that is pointed to another issuer
    inherits nobody.
    """

    class Kind(models.TextChoices):
        """What speaks at the other end."""

        GOOGLE = "google", _("Google")
        GITHUB = "github", _("GitHub")
        X = "x", _("X (Twitter)")
        MICROSOFT = "microsoft", _("Microsoft")
        GITLAB = "gitlab", _("GitLab")
        OIDC = "oidc", _("OpenID Connect")
        OTHER = "other", _("another, by the name of its python-social-auth backend")

    class SignUp(models.TextChoices):
        """Who may get a new account by signing in."""

        NOBODY = "nobody", _("nobody: only people who have linked it")
        VERIFIED = "verified", _("whoever has an e-mail address that the provider has verified")
        ANYONE = "anyone", _("anyone")

    slug = models.CharField(
        _("short name"),
        max_length=32,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*\Z")],
        help_text=_("Small letters, digits and hyphens. It is part of the redirect URI."),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    backend = models.CharField(
        _("backend"),
        max_length=100,
        blank=True,
        help_text=_("Only for another kind: python-social-auth's name for it, such as discord."),
    )
    name = models.CharField(_("display name"), max_length=100, help_text=_("What the button says."))
    is_enabled = models.BooleanField(_("enabled"), default=True)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Smaller numbers come first.")
    )
    issuer = models.CharField(
        _("issuer"),
        max_length=255,
        blank=True,
        help_text=_(
            "OpenID Connect: exactly what the provider calls itself in its discovery document. "
            "GitLab of your own: its address. Others: leave it empty."
        ),
    )
    client_id = models.CharField(_("client id"), max_length=255)
    sealed_secret = models.TextField(blank=True, editable=False)
    scopes = models.JSONField(
        _("scopes"),
        default=list,
        blank=True,
        help_text=_("What is asked for beyond who somebody is."),
    )
    redirect_uris = models.JSONField(
        _("further redirect URIs"),
        default=list,
        blank=True,
        help_text=_("Of single-page and mobile apps that complete the sign-in themselves."),
    )
    email_domains = models.JSONField(
        _("allowed e-mail domains"),
        default=list,
        blank=True,
        help_text=_("Only people with a verified address in one of these; empty: everybody."),
    )
    organisations = models.JSONField(
        _("allowed organisations"),
        default=list,
        blank=True,
        help_text=_("Only members of one of these organisations or groups; empty: everybody."),
    )
    sign_up = models.CharField(
        _("who may sign up"), max_length=16, choices=SignUp, default=SignUp.VERIFIED
    )
    needs_email = models.BooleanField(
        _("ask for an e-mail address"),
        default=False,
        help_text=_("Of new people about whom the provider tells no verified one."),
    )
    default_roles = models.JSONField(_("roles of new people"), default=list, blank=True)
    keeps_tokens = models.BooleanField(
        _("keep the provider's tokens"),
        default=False,
        help_text=_("Encrypted, for a project that calls the provider's API for its people."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("social provider")
        verbose_name_plural = _("social providers")
        ordering: ClassVar = ["position", "slug"]

    def __str__(self) -> str:
        return self.name or self.slug
