"""No Python file speaks to people but through gettext."""

from __future__ import annotations

import ast

import pytest
from django.apps import apps
from django.contrib import admin
from django.utils.functional import Promise

from tests.locale import python_texts
from tests.locale.python_texts import PACKAGE, files, problems_in

pytestmark = pytest.mark.default_user_only

#: Texts that look like words and are none for people, by the reason why.
NOT_FOR_PEOPLE = {
    "the language of access": {
        ("access/defaults.py", " when {…}"),
        ("access/defaults.py", "allow {…} {…}"),
        ("access/guards.py", " when {…}"),
        ("access/policy_file/applying.py", "allow "),
        ("access/policy_file/demands.py", "allow {…}"),
        ("access/policy_file/stored.py", "allow {…}"),
        ("kernel/policy.py", " when {…}"),
        ("kernel/rule_line.py", " when "),
        ("models/rule.py", " when {…}"),
    },
    "policy files, which the command line reads and writes": {
        ("access/policy_file/document.py", "as in code"),
        ("access/policy_file/document.py", "line {…}"),
        ("access/policy_file/document.py", ", column {…}"),
        (
            "access/policy_file/reading.py",
            r"\(at (?:line (\d+), column (\d+)|end of document)\)\Z",
        ),
        (
            "access/policy_file/writing.py",
            "# Roles and their rules, written by `manage.py authkit policy ex",
        ),
    },
    "headers of HTTP": {
        ("api/base.py", '"cache", "cookies", "storage"'),
        ("api/base.py", 'Bearer realm="api", error="insufficient_scope"'),
        ("gate.py", 'Bearer realm="api"'),
        ("pages/sign_in.py", '"cache", "cookies", "storage"'),
        ("permissions.py", 'Bearer realm="api", error="{…}"'),
        ("refusals.py", '{…}, error="{…}"'),
        # RFC 6750 §3: ASCII, and for the programmer of the client
        ("refusals.py", '{…}, error="invalid_token", error_description="{…}"'),
    },
    "what secrets, keys and counters are derived from or called": {
        ("accounts/attempts.py", "person {…}"),
        ("accounts/attempts.py", "stranger {…}"),
        ("accounts/impersonating.py", "parked session"),
        ("accounts/pace.py", "correct horse battery staple"),
        ("sealing.py", "authkit sealed {…} v1"),
        ("sealing.py", "social provider secret"),
        ("sealing.py", "social provider tokens"),
        ("social/storage.py", "social pause"),
        ("social/transactions.py", "social transaction"),
    },
    "a programmer's mistakes, said in a TypeError or by a system check": {
        ("access/declarations.py", "a bound method: put it where the method is defined"),
        ("access/declarations.py", "a {…}: put it below that decorator"),
        ("access/declarations.py", "the class {…}"),
        (
            "decorators.py",
            'when= of @allow is the name of a condition, like "own", not {…}',
        ),
        ("jwt/keys.py", "AUTHKIT['JWT_SIGNING_KEYS'][{…}]: {…}."),
        (
            "jwt/keys.py",
            "AUTHKIT['JWT_SIGNING_KEYS']: {…} keys have the kid {…}; each nee",
        ),
        (
            "jwt/tokens.py",
            "AUTHKIT['JWT_USER_CLAIMS'] names {…}, which is not a field of th",
        ),
        (
            "kernel/decision.py",
            "this decision depends on the object: filter by it, or check one ",
        ),
        ("kernel/language.py", "{…}, position {…}: {…}"),
        (
            "models/audit_event.py",
            "Audit events are append only; `authkit prune` ends their retenti",
        ),
        ("social/pipeline.py", "it has {…}"),
        ("social/pipeline.py", "it lacks {…}"),
        ("templatetags/authkit.py", '{%% %s "api.article:update" [object] as name %%}'),
    },
    "errors that we catch ourselves": {
        ("accounts/tally.py", "rows are missing that count attempts"),
        ("social/discovery.py", "discovery document"),
        ("models/moments.py", "A moment in the database that Python does not know."),
    },
    "what databases are told, and say": {
        ("feed_rows.py", " UNION ALL SELECT -1, current_setting('transaction_isolation'), "),
        ("feed_rows.py", "{…} ORDER BY 1"),
        ("models/moments.py", "timestamp with time zone"),
        ("models/preparing.py", "EXECUTE {…} ({…})"),
        ("models/preparing.py", "PREPARE {…} AS {…}; {…}"),
        ("snapshots.py", "read committed"),
    },
    "what the log says in the place of a secret": {
        ("saving.py", "(the key)"),
    },
    "answers to requests that no page of ours makes": {
        ("admin/audit_event.py", "no such events"),
        ("admin/base.py", "no such rows"),
    },
    "what the audit writes down once, for readers of any language": {
        ("access/ledger.py", "group {…}"),
    },
    "names of products": {
        ("kernel/browser.py", "Mac OS X"),
        ("kernel/browser.py", "Samsung Internet"),
        ("apps.py", "authkit"),
    },
    "a table without a page": {
        ("models/change.py", "session_ended"),
    },
    "names of permissions, which Django stores in English and shows as they are": {
        ("models/user_session.py", "Can sign in as somebody else"),
        ("models/bearer_token.py", "Can look into other people's tokens (RFC 7662)"),
    },
    "translated from where it is marked, as another test sees": {
        ("models/role.py", "self.name"),
        ("wording.py", "error.template"),
        ("wording.py", "role.name"),
    },
}
ALLOWED = {entry: reason for reason, entries in NOT_FOR_PEOPLE.items() for entry in entries}


def test_every_text_that_a_person_reads_goes_through_gettext():
    found = [problem for path in files() for problem in problems_in(path)]
    wrong = [str(problem) for problem in found if problem.entry not in ALLOWED]
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_exception_outlives_its_text():
    found = {problem.entry for path in files() for problem in problems_in(path)}
    assert ALLOWED.keys() <= found, ALLOWED.keys() - found


def test_every_field_that_the_admin_shows_has_a_name_that_can_be_translated():
    shown = [model for model in apps.get_app_config("authkit").get_models() if _is_shown(model)]
    assert len(shown) > 8
    for model in shown:
        names = [model._meta.verbose_name, model._meta.verbose_name_plural]
        fields = [field for field in model._meta.fields if not field.primary_key]
        names += [field.verbose_name for field in fields if field.editable]
        assert all(isinstance(name, Promise) for name in names), (model, names)


def _is_shown(model: type) -> bool:
    return admin.site.is_registered(model)


# The attack first: each of these is found.
BAD = [
    'def view(request):\n    return HttpResponse("Nothing was changed.")\n',
    'raise ValidationError("This is in use.")\n',
    'messages.error(request, f"There is no {thing}")\n',
    'text = "There are " + count + " of them"\n',
    'class A:\n    title = "devices"\n',
    'class A:\n    title = ("devices" if x else _("b"))\n',
    'name = models.CharField("name")\n',
    'field = forms.CharField(help_text="optional")\n',
    'class Kind(models.TextChoices):\n    TOKEN = "token", "token"\n',
    'class Kind(models.TextChoices):\n    TOKEN = "token"\n',
    '@admin.display(description="kind")\ndef kind(self, row): ...\n',
    'html = format_html("<p>Not now</p>")\n',
    'html = format_html("<b>{}</b> is gone", name)\n',
    "from django.utils.translation import gettext as _\ndef f(x):\n    return _(x)\n",
    "from django.utils.translation import gettext as _\ndef f(x):\n    return _(f'{x} is gone')\n",
    "from django.utils.translation import gettext as _\ndef f(x):\n    return _('gone: ' + x)\n",
    "from django.utils.translation import ngettext\ndef f(x):\n    return ngettext('a', x, 1)\n",
    'from django.utils.translation import gettext as _\nTITLE = _("Devices")\n',
    "from django.utils.translation import gettext as _\ndef f():\n    return f'{_(\"gone\")}!'\n",
    'from django.utils.translation import gettext as _\nclass A:\n    title = _("Devices")\n',
    'def _(text): ...\n_("Nobody has imported gettext.")\n',
]
GOOD = [
    '"""Says what it is for."""\n',
    'def f():\n    """Say what it does."""\n',
    'from django.utils.translation import gettext_lazy as _\nclass A:\n    title = _("Devices")\n',
    'from django.utils.translation import gettext as _\ndef f():\n    return _("Nothing here.")\n',
    "from django.utils.translation import gettext\ndef f(e):\n    gettext(e.public_message)\n",
    '_logger.error("The mail %r could not be sent.", name)\n',
    'raise TypeError("a list of texts, not one text")\n',
    'name = models.ForeignKey("authkit.Role")\n',
    'code = "sign_in"\ntemplate = "authkit/pages/base.html"\nheader = "X-Frame-Options"\n',
]


@pytest.mark.parametrize("source", BAD)
def test_it_finds_a_text_that_cannot_be_translated(source):
    ast.parse(source)
    assert list(problems_in(PACKAGE / "made_up.py", source))


@pytest.mark.parametrize("source", GOOD)
def test_it_leaves_alone_what_can_be_translated_or_is_not_read(source):
    assert not list(problems_in(PACKAGE / "made_up.py", source))


def test_it_looks_at_all_files_but_those_that_speak_at_a_terminal():
    seen = {path.relative_to(PACKAGE).parts[0] for path in files()}
    there = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}
    assert there - seen == {*python_texts.AT_A_TERMINAL, "migrations"}
