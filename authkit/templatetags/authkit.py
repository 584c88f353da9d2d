"""``{% load authkit %}{% can "api.article:create" as may_write %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Model
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context

from authkit.access import decide
from authkit.impersonation import marking
from authkit.kernel.language import PatternError, parse_access

register = template.Library()

_USAGE = '{%% %s "api.article:update" [object] as name %%}'


@register.tag
def can(parser: Parser, token: Token) -> CanNode:
    """Whether whoever the page is for may do something, at all or with one object.

        {% can "api.article:update" article as may_edit %}
        {% if may_edit %}<a href="…">Edit</a>{% endif %}

    Without an object, what is allowed for some objects counts as allowed. It is answered
    for `request.user`, with the scopes of the credential, or for `user`; for nobody, no.
    """
    name, *bits = token.split_contents()
    if len(bits) not in (3, 4) or bits[-2] != "as":
        raise template.TemplateSyntaxError(f"it is used like this: {_USAGE % name}")
    access = parser.compile_filter(bits[0])
    if isinstance(access.var, str):
        _require_access(access.var)
    obj = parser.compile_filter(bits[1]) if len(bits) == 4 else None
    return CanNode(access, obj, bits[-1])


@register.simple_tag(takes_context=True)
def impersonation_banner(context: Context) -> str:
    """The banner of an administrator who is signed in as somebody else; empty otherwise.

    The middleware writes it at the end of each page. A page that is streamed, or wants it
    elsewhere, places it itself.
    """
    request = context.get("request")
    return "" if request is None else marking.banner(request)


@register.simple_tag(takes_context=True)
def dashboard(context: Context) -> Any:
    """What stands at the head of authkit's section of an admin site that has the dashboard.

    The site lists its page only for whoever may see it.
    """
    listed = [entry for app in context.get("app_list") or () for entry in app["models"]]
    pages = [entry["model"] for entry in listed if entry["object_name"] == "Dashboard"]
    found = [getattr(page, "blocks_for", None) for page in pages]
    return next((blocks_for(context.request) for blocks_for in found if blocks_for), ())  # type: ignore[attr-defined]


class CanNode(template.Node):
    """One question, asked when the page is rendered."""

    def __init__(self, access: FilterExpression, obj: FilterExpression | None, name: str) -> None:
        self.access = access
        self.obj = obj
        self.name = name

    def render(self, context: Context) -> str:
        """Put the answer into the context."""
        context[self.name] = self._answer(context)
        return ""

    def _answer(self, context: Context) -> bool:
        user = _user_of(context)
        access = self.access.resolve(context, ignore_failures=True)
        if user is None or not isinstance(access, str):
            return False
        if self.obj is None:
            return decide(user, access).may_enter
        obj = self.obj.resolve(context, ignore_failures=True)
        return isinstance(obj, Model) and bool(decide(user, access, obj))


def _user_of(context: Context) -> Any:
    user = getattr(context.get("request"), "user", None)
    return context.get("user") if user is None else user


def _require_access(text: str) -> None:
    try:
        parse_access(text)
    except PatternError as error:
        raise template.TemplateSyntaxError(str(error)) from error
