"""What `sync` writes down, and what it leaves alone."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.translation import override

from authkit.access import decide, defaults, sync
from authkit.decorators import allow, locked, public, require
from authkit.models import AccessRevision, Assignment, Endpoint, Role, Rule

pytestmark = pytest.mark.django_db

_numbers = count()


@pytest.fixture
def deploy(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., sync.Changes]:
    """``deploy(page=[allow("editor")])``: a new version of the project, and its migrate."""

    def put(**views: list[Any]) -> sync.Changes:
        module = ModuleType(f"tests.access.deployed_{next(_numbers)}")
        patterns = [path(f"{name}/", _view(*views[name]), name=name) for name in views]
        module.urlpatterns = patterns  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        settings.ROOT_URLCONF = module.__name__
        return sync.sync()

    return put


def _view(*decorators: Any) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    for decorate in decorators:
        decorate(view)
    return view


def rules() -> set[str]:
    return {
        f"{rule.role.slug} {rule} {rule.source}{'' if rule.is_enabled else ' off'}"
        for rule in defaults.stored_rules()
    }


def edit(rule: Rule, **values: Any) -> None:
    defaults.take_over(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    rule.save()


def state(key: str) -> str:
    return Endpoint.objects.get(key=key).state


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("authkit", "sync", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_built_in_roles_are_there_after_migrate():
    names = dict(Role.objects.values_list("slug", "name"))
    assert {"anyone", "authenticated", "staff"} <= set(names)


def test_everything_is_written_down_at_first(deploy):
    deploy(
        page=[allow("editor", to="update", when="own"), require("auth.view_user")],
        open=[public, locked],
    )
    page, opened = Endpoint.objects.order_by("-key")
    assert (page.key, page.state, page.routes) == ("page", "new", ["page/"])
    assert page.declared == {
        "public": [],
        "locked": [],
        "requirements": [{"permissions": ["auth.view_user"], "recent": None, "actions": ["*"]}],
        "allows": [{"roles": ["editor"], "actions": ["update"], "condition": "own"}],
    }
    assert set(opened.declared["public"]) == set(opened.methods) == set(opened.declared["locked"])
    assert rules() == {"editor allow page:update when own code"}


def test_a_role_that_code_names_is_made_once_and_keeps_its_name(deploy):
    deploy(page=[allow("ghost-writer")])
    assert Role.objects.get(slug="ghost-writer").name == "Ghost writer"
    Role.objects.filter(slug="ghost-writer").update(name="Somebody")
    deploy(page=[allow("ghost-writer", to="read")])
    assert Role.objects.get(slug="ghost-writer").name == "Somebody"


def test_again_it_changes_nothing_and_no_process_loads_the_rules_again(deploy):
    deploy(page=[allow("editor", "author", to="read"), allow("editor", when="own")], other=[])
    before = AccessRevision.objects.get().number
    with override("de"):
        assert not sync.sync()
    assert AccessRevision.objects.get().number == before


def test_a_vanished_endpoint_is_missing_and_asked_about_again_when_it_comes_back(deploy):
    deploy(page=[], other=[])
    Endpoint.objects.update(state="active")
    deploy(other=[])
    page = Endpoint.objects.get(key="page")
    assert (page.state, page.missing_since is None) == ("missing", False)
    deploy(page=[], other=[])
    page.refresh_from_db()
    assert (page.state, page.missing_since, state("other")) == ("returned", None, "active")


def test_a_key_that_several_views_share_is_no_endpoint(deploy, settings, monkeypatch):
    deploy(page=[allow("editor")])
    module = sys.modules[settings.ROOT_URLCONF]
    twice = ModuleType(f"{module.__name__}_twice")
    twice.urlpatterns = [*module.urlpatterns, path("b/", _view(public), name="page")]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, twice.__name__, twice)
    settings.ROOT_URLCONF = twice.__name__
    sync.sync()
    assert state("page") == "missing"
    assert rules() == set()


def test_an_untouched_default_follows_the_code(deploy):
    deploy(page=[allow("editor", to="update")])
    deploy(page=[allow("editor", to="update,delete")])
    assert rules() == {"editor allow page:update,delete code"}
    deploy(page=[])
    assert rules() == set()


def test_an_edited_default_stays_and_is_shown_beside_what_code_says(deploy):
    deploy(page=[allow("editor", to="update")])
    edit(Rule.objects.get(), actions="read")
    deploy(page=[allow("editor", to="update,delete")])
    assert rules() == {"editor allow page:read admin"}
    (found,) = defaults.drift()
    assert [rule.default for rule in found.edited] == ["page:update"]
    assert [str(default) for default in found.declared] == ["allow editor page:update,delete"]
    defaults.reset("editor", "page")
    assert rules() == {"editor allow page:update,delete code"}
    assert defaults.drift() == []


def test_a_default_that_was_switched_off_stays_off(deploy):
    deploy(page=[allow("editor", to="update")])
    defaults.remove(Rule.objects.get())
    for words in ("update", "update,delete"):
        deploy(page=[allow("editor", to=words)])
        assert rules() == {"editor allow page:update admin off"}
    assert [one.key for one in defaults.drift()] == ["page"]
    defaults.reset("editor", "page")
    assert rules() == {"editor allow page:update,delete code"}


def test_an_edit_for_one_role_holds_up_no_other(deploy):
    deploy(page=[allow("editor", "author", to="update")], other=[allow("editor", to="update")])
    edit(Rule.objects.get(role__slug="editor", endpoints="page"), actions="read")
    deploy(page=[allow("editor", "author", to="delete")], other=[allow("editor", to="delete")])
    assert rules() == {
        "editor allow page:read admin",
        "author allow page:delete code",
        "editor allow other:delete code",
    }


def test_a_default_that_was_moved_elsewhere_is_not_put_in_force_again(deploy):
    deploy(page=[allow("editor")], other=[])
    edit(Rule.objects.get(), endpoints="other")
    assert not deploy(page=[allow("editor")], other=[]).defaults
    deploy(page=[allow("editor"), allow("editor", to="read", when="own")], other=[])
    assert rules() == {"editor allow other:* admin"}


def test_a_default_that_became_a_deny_or_a_narrower_one_by_any_hand_counts_as_edited(deploy):
    deploy(page=[allow("editor")])
    Rule.objects.update(effect="deny")  # nobody told that it is an administrator's now
    deploy(page=[])
    assert rules() == {"editor deny page:* code"}
    assert defaults.drift()[0].declared == ()


def test_an_edit_that_code_has_caught_up_with_is_the_default(deploy):
    deploy(page=[allow("editor", to="update")])
    edit(Rule.objects.get(), actions="read")
    deploy(page=[allow("editor", to="read")])
    assert rules() == {"editor allow page:read code"}
    assert defaults.drift() == []


def test_but_not_while_the_default_that_was_edited_away_still_stands(deploy):
    deploy(page=[allow("editor", to="update")])
    edit(Rule.objects.get(), actions="read")
    deploy(page=[allow("editor", to="update"), allow("editor", to="read")])
    assert rules() == {"editor allow page:read admin"}


def test_an_administrators_own_rule_that_says_the_same_becomes_the_default(deploy):
    editor = Role.objects.create(slug="editor", name="Editor")
    Rule.objects.create(role=editor, endpoints="page", actions="update")
    deploy(page=[allow("editor", to="update")])
    assert rules() == {"editor allow page:update code"}
    assert not sync.sync()


def test_an_administrators_own_rule_that_is_switched_off_keeps_the_default_out(deploy):
    editor = Role.objects.create(slug="editor", name="Editor")
    Rule.objects.create(role=editor, endpoints="page", actions="update", is_enabled=False)
    deploy(page=[allow("editor", to="update")])
    assert rules() == {"editor allow page:update admin off"}
    assert len(defaults.drift()) == 1
    defaults.reset("editor", "page")
    assert rules() == {"editor allow page:update code"}


def test_rules_that_administrators_wrote_are_nobody_elses(deploy):
    editor = Role.objects.create(slug="editor", name="Editor")
    own = Rule.objects.create(role=editor, endpoints="page", actions="delete")
    deny = Rule.objects.create(role=editor, endpoints="page", actions="update", effect="deny")
    deploy(page=[allow("editor", to="update")])
    deploy(page=[])
    defaults.reset("editor", "page")
    assert set(Rule.objects.all()) == {own, deny}
    defaults.remove(own)
    assert set(Rule.objects.all()) == {deny}


def test_a_default_opens_a_new_endpoint_and_a_returned_one(deploy, person):
    deploy(page=[allow("editor", to="read"), locked], other=[])
    Assignment.objects.create(user=person, role=Role.objects.get(slug="editor"))
    assert decide(person, "page:GET").allowed
    deploy(other=[])
    assert not decide(person, "page:GET").allowed
    deploy(page=[allow("editor", to="read"), locked], other=[])
    assert state("page") == "returned"
    assert decide(person, "page:GET").allowed


def test_nothing_is_half_written(deploy):
    deploy(page=[allow("editor")])
    Role.objects.filter(slug="editor").delete()
    with connection.execute_wrapper(_refuse_rules), pytest.raises(RuntimeError):
        deploy(page=[allow("editor")], other=[allow("author")])
    assert not Endpoint.objects.filter(key="other").exists()
    assert not Role.objects.filter(slug="author").exists()


def _refuse_rules(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if sql.startswith("INSERT") and "authkit_rule" in sql:
        raise RuntimeError("the power is cut")
    return execute(sql, params, many, context)


def test_the_command_tells_what_has_changed(deploy):
    deploy(page=[allow("editor", to="update")], gone=[])
    edit(Rule.objects.get(), actions="read")
    Endpoint.objects.filter(key="page").delete()
    Rule.objects.create(role=Role.objects.get(slug="staff"), endpoints="page", actions="read")
    Endpoint.objects.create(key="old", found_at=Endpoint.objects.get(key="gone").found_at)
    with pytest.raises(CommandError, match="not up to date"):
        command("--check")
    assert not Endpoint.objects.filter(key="page").exists()
    told = command()
    for line in (
        "new endpoint: page",
        "missing endpoint: old",
        "edited: allow editor page:read",
        "  code says: allow editor page:update",
    ):
        assert line in told
    assert "nothing has changed" in command("--check")
    assert command("--verbosity", "0") == ""


@override_settings(ROOT_URLCONF="tests.access.no_such_urls")
def test_a_urlconf_that_cannot_be_read_fails_the_command_and_not_migrate(caplog):
    with pytest.raises(CommandError, match="no_such_urls"):
        command()
    call_command("migrate", verbosity=0)
    assert "authkit sync" in caplog.text


def test_migrate_syncs(deploy):
    deploy(page=[allow("editor")])
    Rule.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert rules() == {"editor allow page:* code"}


@pytest.mark.vendor("postgresql", "mysql")  # SQLite has one writer at a time anyway
@pytest.mark.django_db(transaction=True)
def test_several_processes_may_sync_at_once(deploy):
    names = [f"page_{number}" for number in range(20)]
    deploy()
    with ThreadPoolExecutor(4) as pool, _held(*names) as deployed:
        found = list(pool.map(_sync_alone, [deployed] * 4))
    assert sum(len(each.new) for each in found) == len(names)
    assert sum(len(each.defaults.create) for each in found) == len(names)
    assert Rule.objects.count() == len(names)


@contextmanager
def _held(*names: str) -> Iterator[str]:
    """A deployed URLconf, that all threads see."""
    module = ModuleType(f"tests.access.deployed_{next(_numbers)}")
    patterns = [path(f"{name}/", _view(allow("editor")), name=name) for name in names]
    module.urlpatterns = patterns  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    with override_settings(ROOT_URLCONF=module.__name__):
        yield module.__name__
    del sys.modules[module.__name__]


def _sync_alone(_: str) -> sync.Changes:
    try:
        return sync.sync()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_migrating_backwards_and_forwards_again_does_no_harm(deploy):
    deploy(page=[allow("editor")])
    try:
        call_command("migrate", "authkit", "0001", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert rules() == {"editor allow page:* code"}
    assert state("page") == "new"
