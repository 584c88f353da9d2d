"""OpenAPI by drf-spectacular: the three schemes by name, and what each operation needs.

Needs the extra ``django-authkit[openapi]``. The schemes are known as soon as
``drf_spectacular`` is among INSTALLED_APPS. For the access of each operation:

    REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "authkit.schema.AutoSchema"}
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from authkit import conf
from authkit.access import discovery
from authkit.access.routes import Route, routes_in
from authkit.kernel.patterns import Access, has_action
from authkit.kernel.policy import EndpointDecl

_ERROR = "AuthkitError"
_CARET = re.compile(r"(?<!\[)\^")


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Opaque tokens of a sign-in, and personal access tokens."""

    target_class = "authkit.authentication.TokenAuthentication"
    name = "bearerToken"
    match_subclasses = True
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """RFC 6750."""
        prefix = conf.get().token_prefix
        text = _("An opaque token (%s…), of a sign-in or a personal access token.") % prefix
        return {"type": "http", "scheme": "bearer", "description": text}


class JWTScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Access tokens."""

    target_class = "authkit.authentication.JWTAuthentication"
    name = "jwt"
    match_subclasses = True
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """RFC 6750, RFC 7519."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of Django's sessions."""

    target_class = "authkit.authentication.SessionAuthentication"
    name = "session"
    match_subclasses = True
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A cookie; writes need a CSRF token as well."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": _("What changes something needs the CSRF token as well."),
        }


class AutoSchema(SpectacularSchema):
    """drf-spectacular's, which also says what access each operation needs."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        """The operation, with ``x-authkit-access`` and the refusals."""
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        access = _access_at(path_regex, method.upper())
        if operation is None or access is None:
            return operation
        declared = discovery.registry().endpoints[access.key].declared("active")
        operation["x-authkit-access"] = str(access)
        line = _described(access, declared)
        operation["description"] = "\n\n".join(filter(None, [operation.get("description"), line]))
        responses = operation.setdefault("responses", {})
        refused = self._refusals(has_action(declared.public, access.action))
        operation["responses"] = {**refused, **responses}
        return operation

    def _refusals(self, is_public: bool) -> dict[str, Any]:
        """A credential that is not valid is 401 on a public view too."""
        takes_credentials = bool(self.view.get_authenticators())
        found = {}
        if takes_credentials or not is_public:
            found["401"] = self._refusal(_("No credential was presented, or none that is valid."))
        if not is_public:
            found["403"] = self._refusal(_("The caller may not do this."))
        return found

    def _refusal(self, description: str) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=_ERROR, type=ResolvedComponent.SCHEMA, object=_ERROR, schema=_error_schema()
        )
        self.registry.register_on_missing(component)
        content = {"application/json": {"schema": component.ref}}
        return {"description": description, "content": content}


def _error_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "code": {**text, "description": _("Stable, for programs.")},
            "detail": {**text, "description": _("For people.")},
        },
    }


def _described(access: Access, declared: EndpointDecl) -> str:
    if has_action(declared.public, access.action):
        return _("Access: `%s`, open to all.") % str(access)
    demanded = [
        f"`{permission}`"
        for each in declared.requirements
        if has_action(each.actions, access.action)
        for permission in each.permissions
    ]
    if demanded:
        permissions = ", ".join(dict.fromkeys(demanded))
        return _("Access: `%(access)s`; permissions: %(permissions)s.") % {
            "access": access,
            "permissions": permissions,
        }
    return _("Access: `%s`.") % str(access)


def _access_at(path_regex: str, method: str) -> Access | None:
    """What a request asks there; None where no rule is about it."""
    route = _routes(settings.ROOT_URLCONF).get(_plain(path_regex))
    governed = {endpoint.key for endpoint in discovery.registry().governed()}
    action = None if route is None else route.methods.get(method)
    if route is None or route.key not in governed or action is None:
        return None
    return Access(str(route.key), action)


@lru_cache(maxsize=1)
def _routes(urlconf: str) -> dict[str, Route]:
    """Where several routes are written alike, Django takes the first."""
    found: dict[str, Route] = {}
    for _name, route in routes_in(urlconf):
        found.setdefault(_plain(route.path), route)
    return found


def _plain(route: str) -> str:
    """A route without the carets and the slash that one of the two writes and the other not."""
    return _CARET.sub("", route).removeprefix("/")
