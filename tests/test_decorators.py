"""What the decorators refuse, and that they change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.forms import Form
from django.views import View
from rest_framework.permissions import BasePermission
from rest_framework.serializers import Serializer

from authkit.access import conditions
from authkit.access.declarations import Allow, Locked, Public, Require, noted_on
from authkit.decorators import allow, condition, locked, public, require

#: For what a type checker would have refused before.
untyped: dict[str, Any] = {
    "allow": allow,
    "require": require,
    "public": public,
}


def view(request):
    return "answer"


def fresh():
    def view(request):
        return "answer"

    return view


def test_they_return_the_view_itself():
    function = fresh()
    decorators = [public, public(), locked, locked(), allow("editor"), require("shop.view_it")]
    for decorate in decorators:
        assert decorate(function) is function
    assert function(None) == "answer"
    assert set(noted_on(function)) == {
        Public(),
        Locked(),
        Allow(("editor",)),
        Require(("shop.view_it",)),
    }


def test_what_is_said_twice_is_said_once():
    assert noted_on(allow("a")(allow("a", "a")(fresh()))) == (Allow(("a",)),)


def test_actions_are_words_of_the_language():
    (said,) = noted_on(allow("editor", to=["update", "PUT", "delete"])(fresh()))
    assert isinstance(said, Allow)
    assert said.actions == ("update", "delete")


def test_a_class_does_not_change_the_class_that_it_inherits_from():
    class Parent(View):
        pass

    @public
    class Child(Parent):
        pass

    assert noted_on(Parent) == ()
    assert noted_on(Child) == (Public(),)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (allow, "needs roles"),
        (lambda: untyped["allow"](view), "short names of roles"),
        (lambda: allow("Editor"), "lower-case"),
        (lambda: allow(""), "short name"),
        (lambda: allow("x" * 51), "short name"),
        (lambda: untyped["allow"](["editor"]), "short names of roles"),
        (lambda: allow("editor", to="up date"), "names actions"),
        (lambda: allow("editor", to=[]), "names actions"),
        (lambda: untyped["allow"]("editor", to=[1]), "names actions"),
        (lambda: untyped["allow"]("editor", to=None), "names actions"),
        (lambda: allow("editor", to="api.article:update"), "names actions"),
        (lambda: untyped["allow"]("editor", when=lambda user: None), "name of a condition"),
        (lambda: allow("editor", when=""), "name of a condition"),
        (lambda: allow("editor", when="x" * 61), "name of a condition"),
        (require, "needs a permission"),
        (lambda: untyped["require"](view), "permissions like"),
        (lambda: require("view_report"), "permissions like"),
        (lambda: require("shop."), "permissions like"),
        (lambda: untyped["require"](recent=300), "timedelta above zero"),
        (lambda: require(recent=timedelta(0)), "timedelta above zero"),
        (lambda: untyped["allow"]("editor")("a view"), "for views"),
        (lambda: untyped["public"](42), "for views"),
        (lambda: public(len), "for views"),
        (lambda: locked(Group), "the class Group"),
        (lambda: locked(Serializer), "the class Serializer"),
        (lambda: locked(Form), "the class"),
        (lambda: require("a.b")(BasePermission), "the class BasePermission"),
        (lambda: public(staticmethod(view)), "below that decorator"),
        (lambda: public("".join), "for views"),
        (lambda: public(View().dispatch), "where the method is defined"),
    ],
)
def test_wrong_use_is_refused_at_import(wrong, message):
    with pytest.raises(TypeError, match=message):
        wrong()


def test_conditions_are_registered_from_here_too():
    assert condition is conditions.condition
