"""The Django app."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps
from django.contrib.auth import (
    get_user_model,
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.core import checks
from django.db.models import signals
from django.utils.translation import gettext_lazy as _


class AuthkitConfig(AppConfig):
    """Wires authkit to Django, and to nothing of its own."""

    name = "authkit"
    label = "authkit"
    verbose_name = _("Sign-in and access")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen where Django and other packages sign people in, and where people change."""
        from authkit import checks as authkit_checks
        from authkit import inputs, saving
        from authkit.access import gates, obligations, renewal, roads, sync
        from authkit.accounts import people, refusals, sign_in
        from authkit.models.kinds import kinds_of

        user_logged_in.connect(sign_in.on_django_login, dispatch_uid="authkit")
        user_logged_out.connect(sign_in.on_django_logout, dispatch_uid="authkit")
        user_login_failed.connect(refusals.on_django_login_failed, dispatch_uid="authkit")
        for model in kinds_of(get_user_model()):
            signals.pre_save.connect(people.before_save, sender=model, dispatch_uid="authkit")
            signals.post_save.connect(people.after_save, sender=model, dispatch_uid="authkit")
            signals.pre_delete.connect(people.before_delete, sender=model, dispatch_uid="authkit")
            for signal, receiver in (
                (signals.pre_save, roads.before_save),
                (signals.post_save, roads.after_save),
            ):
                signal.connect(receiver, sender=model, dispatch_uid="authkit.access")
        renewal.watch()
        roads.listen()
        obligations.listen()
        gates.listen()
        inputs.listen()
        saving.listen()
        signals.post_migrate.connect(sync.after_migrate, sender=self, dispatch_uid="authkit")
        if apps.is_installed("drf_spectacular"):
            import_module("authkit.schema")
        if find_spec("social_django"):  # the extra [social]
            import_module("authkit.social.by_default").offer_strategy()
        for check in authkit_checks.ALL:
            checks.register(check, "authkit")
        for check in authkit_checks.DEPLOY:
            checks.register(check, "authkit", deploy=True)
