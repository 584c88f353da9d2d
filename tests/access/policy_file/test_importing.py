"""All or nothing, and what a file that says only some things leaves alone."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authkit.access import can
from authkit.access.difference_in_words import in_words
from authkit.access.policy_file import PolicyFileError, export_policy, import_policy
from authkit.access.policy_file.reading import MAX_SIZE
from authkit.access.sync import sync
from authkit.exceptions import NotPermitted
from authkit.kernel.policy import BUILT_IN
from authkit.models import AuditEvent, Endpoint, Role, Rule
from tests.access.some_roles import give, role

pytestmark = pytest.mark.django_db


def file(*lines: str) -> bytes:
    return "\n".join(["format = 1", *lines]).encode()


CLERK = file("[roles.clerk]", 'name = "Clerk"', 'rules = ["allow api.person:read"]')


def test_a_role_becomes_what_the_file_says_of_it(person):
    give(person, role("clerk", "allow api.report:GET", "deny api.person:list"))
    assert not can(person, "api.person:list")
    import_policy(CLERK)
    assert can(person, "api.person:list")
    assert [str(rule) for rule in Rule.objects.all()] == ["allow api.person:read"]


def test_roles_that_the_file_does_not_name_stay_unless_they_are_pruned(person):
    role("anyone", "allow api.report:GET")
    give(person, role("guest", "allow api.report:GET"))
    assert import_policy(CLERK).notes == ()
    assert Role.objects.filter(slug="guest").exists()
    (note,) = import_policy(CLERK, prune=True).notes
    assert "guest" in note
    assert set(Role.objects.values_list("slug", flat=True)) == {*BUILT_IN, "clerk"}


def test_a_dry_run_says_the_same_and_changes_nothing():
    role("clerk", "deny api.person:*")
    text, events = export_policy(), AuditEvent.objects.count()
    dry = import_policy(CLERK, prune=True, dry_run=True)
    assert (export_policy(), AuditEvent.objects.count()) == (text, events)
    real = import_policy(CLERK, prune=True)
    assert (dry.difference, dry.changes) == (real.difference, real.changes)
    assert AuditEvent.objects.filter(kind="access.policy_imported").count() == 1


def test_who_gains_and_loses_is_told_in_words():
    role("clerk", "allow api.person:*", "allow api.report:GET when themselves")
    assert list(in_words(import_policy(CLERK).changes)) == [
        "Clerk (clerk):",
        "  loses api.person:create,destroy,partial_update,update: allow → nothing",
    ]


def test_defaults_of_code_stay_unless_the_file_speaks_of_them():
    sync()
    import_policy(file("[roles.author]", 'name = "Author"'))
    assert Rule.objects.filter(role__slug="author", source="code").count() == 2
    default = '"allow api.person:create"'
    import_policy(
        file("[roles.author]", 'name = "Author"', "[roles.author.defaults]", f'{default} = "off"')
    )
    assert Rule.objects.filter(role__slug="author", is_enabled=True).count() == 1
    sync()
    assert Rule.objects.filter(role__slug="author", is_enabled=True).count() == 1


def test_a_default_that_is_written_among_the_rules_stays_a_default():
    sync()
    import_policy(file("[roles.author]", 'name = "Author"', 'rules = ["allow api.person:create"]'))
    assert Rule.objects.filter(role__slug="author", source="code").count() == 2
    import_policy(
        file("[roles.author]", 'name = "Author"', 'switched_off = ["allow api.person:create"]')
    )
    assert not Rule.objects.get(default="api.person:create").is_enabled


def test_a_file_cannot_pass_its_own_rule_off_as_a_default_of_code(person):
    """Such a rule would count on a locked action."""
    sync()
    lines = ["[roles.clerk]", 'name = "Clerk"']
    rule = "allow api.vault:GET"
    with pytest.raises(PolicyFileError, match="declares no such default"):
        import_policy(file(*lines, "[roles.clerk.defaults]", f'"{rule}" = "as in code"'))
    import_policy(file(*lines, "[roles.clerk.defaults]", f'"{rule}" = "{rule}"'))
    give(person, Role.objects.get(slug="clerk"))
    assert not can(person, "api.vault:GET")


def test_an_endpoint_that_is_not_reached_here_is_not_looked_at():
    (note,) = import_policy(file('looked_at = ["api.person", "elsewhere"]')).notes
    assert "elsewhere" in note
    assert list(Endpoint.objects.values_list("key", "state")) == [("api.person", "active")]


def test_an_import_mends_what_was_no_valid_policy(person):
    give(person, role("clerk", "allow api.person:read"))
    Rule.objects.update(endpoints="not a pattern!")
    with pytest.raises(PolicyFileError):
        export_policy()
    import_policy(CLERK)
    assert can(person, "api.person:list")


def test_what_is_broken_elsewhere_is_not_imported_over():
    role("other", "allow api.person:read")
    Rule.objects.update(endpoints="not a pattern!")
    with pytest.raises(PolicyFileError, match="no valid policy"):
        import_policy(CLERK)
    assert not Role.objects.filter(slug="clerk").exists()


def test_the_number_of_queries_hardly_grows_with_the_rules():
    def queries(count: int) -> int:
        rules = ", ".join(f'"allow api.a{number}:read"' for number in range(count))
        with CaptureQueriesContext(connection) as found:
            import_policy(file("[roles.clerk]", 'name = "Clerk"', f"rules = [{rules}]"))
        Role.objects.all().delete()
        return len(found)

    assert queries(500) < queries(10) + 20


REFUSED = [
    (b"\xff", "line 1: This is not UTF-8"),
    (b"format = 1\nroles = {", "line 2: This is not TOML"),
    (b"format = 1\n[roles..x]", "line 2, column 8: This is not TOML"),
    (b"format = 1\nx = " + b"[" * 100_000, "nested too deeply|not TOML"),
    (b"format = " + b"1" * 10_000, "not TOML"),
    (b"# " + b"x" * MAX_SIZE, "longer than 16 MiB"),
    (b"", "no policy file"),
    (b"format = 2", "format = 1"),
    (b"format = true", "format = 1"),
    (file("roles = 1"), "`roles` must be a table"),
    (file("assignments = 1"), "no such key: 'assignments'"),
    (file('looked_at = ["api.*"]'), "line 2, column 19: "),
    (file("", "[roles.clerk]"), "line 3: `name` must be a text"),
    (file("[roles.clerk]", 'name = ""'), "needs a name"),
    (file("[roles.clerk]", 'name = "a\\nb"'), "needs a name"),
    (file("[roles.Clerk]", 'name = "Clerk"'), "line 2: 'Clerk' is not the short name"),
    (file("[roles.clerk]", 'name = "C"', "rule = []"), "no such key: 'rule'"),
    (file("[roles.clerk]", 'name = "C"', "rules = [1]"), "a list of texts"),
    (
        file("[roles.clerk]", 'name = "C"', "rules = [", '    "allow api..person:read",', "]"),
        "line 5, column 16: an empty segment",
    ),
    (
        file("[roles.clerk]", 'name = "C"', "rules = [", '  "allow api.person:read when no",', "]"),
        "line 5, column 31: There is no condition 'no'",
    ),
    (
        file("[roles.clerk]", 'name = "C"', 'rules = ["allow a:read", "allow a:list,read"]'),
        "the rule 'allow a:read' twice",
    ),
    (
        file("[roles.clerk]", 'name = "C"', 'includes = ["gone"]'),
        "line 4, column 14: There is no role",
    ),
    (file("[roles.clerk]", 'name = "C"', 'permissions = ["auth.gone"]'), "There is no permission"),
    (file("[roles.clerk]", 'name = "C"', 'permissions = ["gone"]'), "There is no permission"),
    (file("[roles.clerk]", 'name = "C"', "groups = { Gone = {} }"), "There is no group 'Gone'"),
    (file("[roles.staff]", 'name = "C"', "groups = {}"), "nobody's to give"),
    (
        file("[roles.clerk]", 'name = "C"', "groups = { G = { until = 2030-01-01 } }"),
        "A time must be written like",
    ),
    (
        file(
            "[roles.one]", 'name = "1"', 'includes = ["two"]',
            "[roles.two]", 'name = "2"', 'includes = ["one"]',
        ),
        "line 4, column 14: roles include each other in a circle: one → two → one",
    ),
    (
        file(
            "[roles.clerk]", 'name = "C"', "[roles.clerk.defaults]",
            '"allow api.person:create" = "on"',
        ),
        "begins with 'allow ' or 'deny '",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_wrong_is_said_with_its_place_and_nothing_is_changed(content, message):
    role("guest", "allow api.person:read")
    before = export_policy()
    content += b'\n[roles.another]\nname = "Another"\n' if b"[roles." in content else b""
    with pytest.raises(PolicyFileError, match=message):
        import_policy(content, prune=True)
    assert export_policy() == before


def test_a_circle_through_a_role_that_the_file_does_not_name_is_refused():
    clerk, guest = role("clerk"), role("guest")
    guest.includes.add(clerk)
    content = file("[roles.clerk]", 'name = "C"', 'includes = ["guest"]')
    with pytest.raises(PolicyFileError, match="circle"):
        import_policy(content)
    with pytest.raises(PolicyFileError, match="There is no role 'guest'"):
        import_policy(content, prune=True)


def test_a_condition_that_is_gone_may_stay_where_it_stands_already():
    rule = "allow api.person:read when forgotten"
    role("clerk", rule)
    text = export_policy()
    assert import_policy(text.encode()).difference == ()
    with pytest.raises(PolicyFileError, match="no condition 'forgotten'"):
        import_policy(text.replace("roles.clerk", "roles.other").encode())


@pytest.mark.parametrize("dry_run", [True, False])
def test_nobody_imports_more_than_they_hold(person, dry_run, tmp_path):
    give(person, role("clerk", "allow api.report:GET"))
    before = export_policy()
    wide = file("[roles.clerk]", 'name = "Clerk"', 'rules = ["allow api.report:GET", "allow *:*"]')
    with pytest.raises(NotPermitted):
        import_policy(wide, actor=person, dry_run=dry_run)
    assert export_policy() == before
    with pytest.raises(NotPermitted):
        import_policy(
            file("[roles.anyone]", 'name = "Anyone"', 'rules = ["allow *:*"]'), actor=person
        )
    assert export_policy() == before
    if not dry_run:
        told = tmp_path / "policy.toml"
        told.write_bytes(wide)
        as_user = getattr(person, type(person).USERNAME_FIELD)
        with pytest.raises(CommandError, match="may not"):
            call_command("authkit", "policy", "import", str(told), "--as", as_user)
        assert export_policy() == before
    narrow = file("[roles.helper]", 'name = "Helper"', 'rules = ["allow api.report:GET"]')
    import_policy(narrow, actor=person, dry_run=dry_run)
