"""Django's authentication backend: a user name or an e-mail address, and a password."""

from __future__ import annotations

from typing import Any, cast

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.forms import ValidationError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from authkit.access import holders, role_permissions
from authkit.accounts import attempts, identify, passwords, refusals
from authkit.exceptions import TooManyAttempts


class AuthkitBackend(ModelBackend):
    """Finds a person by user name or e-mail address and checks the password.

    A person who does not exist costs the same time as a wrong password. An old hash is
    renewed without ending the sign-ins that were begun with it. Failures have a limit:
    once it is reached, no password is looked at, and no backend behind this one is asked.
    """

    @sensitive_variables("password", "kwargs")
    def authenticate(  # type: ignore[override]  # any user model
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """The person, or None. `email`, or the model's USERNAME_FIELD, may stand for `username`.

        Raises:
            PermissionDenied: too many attempts; `authenticate()` then returns None.
            ValidationError: the same in Django's own forms, which show it.
        """
        name = identify.name_in(username, kwargs)
        if name is None or password is None:
            return None
        user = identify.person_named(name)

        @sensitive_variables("password")
        def is_right() -> bool:
            if user is None:
                passwords.spend_time_on(password)
                return False
            is_theirs = passwords.is_password_of(user, password)
            return is_theirs and self.user_can_authenticate(cast(Any, user))

        @sensitive_variables("password")
        def pretend() -> None:
            passwords.spend_time_on(password)

        try:
            is_judged_right = attempts.judged(
                is_right, name=name, person=user, request=request, pretend=pretend
            )
        except TooManyAttempts as refusal:
            if _is_form_of_django(request):
                refusals.tell_too_many(request, refusal)
                text = refusals.text_of(refusal)
                raise ValidationError(text, code=refusal.code) from refusal
            raise PermissionDenied(refusal.public_message) from refusal
        return user if is_judged_right else None

    @sensitive_variables("password", "kwargs")
    async def aauthenticate(  # type: ignore[override]  # any user model
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """The same, for async code: Django's own knows neither our names nor our limits."""
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)

    def get_all_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        """The person's own permissions, those of their groups, and those of their roles.

        Roles carry permissions for every object of a model, so with an object there are
        none, as in Django's own backend.
        """
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return {*super().get_all_permissions(user_obj), *role_permissions.of(user_obj)}

    def with_perm(
        self,
        perm: Any,
        is_active: bool = True,
        include_superusers: bool = True,
        obj: Model | None = None,
    ) -> QuerySet[Any]:
        """Everybody who holds a permission, by a role of theirs included."""
        found: Any = super().with_perm(perm, is_active, include_superusers, obj)
        if obj is not None:
            return found  # type: ignore[no-any-return]
        name = perm if isinstance(perm, str) else f"{perm.content_type.app_label}.{perm.codename}"
        by_role = found.model._default_manager.filter(holders.by_role_with_permission(name))
        if is_active is not None:
            by_role = by_role.filter(is_active=is_active)
        everybody = Q(pk__in=found.values("pk")) | Q(pk__in=by_role.values("pk"))
        return found.model._default_manager.filter(everybody)  # type: ignore[no-any-return]

    async def aget_all_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        """The same, for async code."""
        return await sync_to_async(self.get_all_permissions)(user_obj, obj)


def _is_form_of_django(request: HttpRequest | None) -> bool:
    """Whether Django's form calls, in its `LoginView` or in the admin site's."""
    match = getattr(request, "resolver_match", None)
    if match is None:
        return False
    kind = getattr(match.func, "view_class", None)
    if isinstance(kind, type) and issubclass(kind, LoginView):
        return True
    return bool(match.app_names == ["admin"] and match.url_name == "login")
