"""No template, script or style sheet speaks to people but through gettext."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ground import ROOT
from tests.locale.template_texts import (
    TEMPLATES,
    problems_in,
    problems_in_script,
    problems_in_style,
)

pytestmark = pytest.mark.default_user_only

STATIC = ROOT / "authkit" / "static"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT / "authkit"))


def test_every_text_of_a_template_goes_through_gettext():
    paths = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    assert {path.suffix for path in paths} == {".html", ".txt"}
    wrong = [
        f"{_name(path)}:{problem}"
        for path in paths
        for problem in problems_in(path.read_text(), is_html=path.suffix == ".html")
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_scripts_take_their_texts_from_the_page():
    paths = list(STATIC.rglob("*.js"))
    assert paths
    wrong = [(_name(path), problems_in_script(path.read_text())) for path in paths]
    assert not [(name, problems) for name, problems in wrong if problems]


def test_style_sheets_have_no_words():
    paths = list(STATIC.rglob("*.css"))
    assert paths
    wrong = [(_name(path), problems_in_style(path.read_text())) for path in paths]
    assert not [(name, problems) for name, problems in wrong if problems]


# The attack first: each of these is found.
@pytest.mark.parametrize(
    "source",
    [
        "<p>Refused</p>",
        "<p>{{ name }} is gone</p>",
        "<p>{{ name }}</p> of <p>{{ other }}</p>",
        '<img alt="a lock">',
        '<a title="{{ name }}, open">x</a>',
        '<nav aria-label="Pages">',
        '<input placeholder="you@example.com, or a name">',
        '<input type="submit" value="Save">',
        '<button data-authkit-copy="Copy">',
        '{{ name|default:"nobody" }}',
        '{{ is_on|yesno:"on,off" }}',
        "{% include 'x.html' with title='Your devices' %}",
        "{% translate title %}",
        "{% translate 'Yes' %}, or no",
        "{% blocktranslate %}One{% endblocktranslate %} two",
        "{% if x %}yes{% endif %}",
        "<title>{% block title %}Sign in{% endblock %}</title>",
        "<code>x</code> and more",
    ],
)
def test_it_finds_a_text_past_gettext(source):
    assert problems_in(source, is_html=True)


@pytest.mark.parametrize(
    "source",
    [
        "{% translate 'Refused' %}",
        '<a title="{% translate "Open" %}" class="quiet button" href="/sign-in/">{{ name }}</a>',
        "{% blocktranslate with a=b %}It is {{ a }}.{% endblocktranslate %}",
        "{% comment %}What it is for.{% endcomment %}{# and how #}<!-- and why -->",
        "<code>Authorization: Bearer …</code>",
        "<script>const text = 'for programs';</script>",
        "{{ x|default:_('nobody') }}{{ x|date:'DATE_FORMAT' }}{{ x|date:'j. F Y' }}",
        "{% if kind == 'session' or kind == 'jwt' %}·{% endif %}",
        "{% url 'authkit_pages:sign_in' as url %}{% include 'authkit/pages/fields.html' %}",
        "{% block bodyclass %}wide page{% endblock %}",
    ],
)
def test_it_leaves_alone_what_is_translated_or_not_read(source):
    assert not problems_in(source, is_html=True)


def test_it_finds_a_text_in_a_mail_that_is_no_html():
    assert problems_in("{% load i18n %}{% translate 'Hello' %} dear", is_html=False)
    assert not problems_in(
        "{% load i18n %}{% translate 'Hello' %} {{ name }},\n-- \n", is_html=False
    )


@pytest.mark.parametrize(
    "source",
    [
        'button.textContent = "Copied";',
        "button.textContent = `Copied ${count}`;",
        'button.setAttribute("aria-label", "Close");',
        'confirm("Really?")',
        'say("Nothing was changed.");',
    ],
)
def test_it_finds_a_text_in_a_script(source):
    assert problems_in_script(source)


def test_it_finds_a_word_in_a_style_sheet():
    assert problems_in_style('.x::after { content: "new"; }')
    assert not problems_in_style('.x::after { content: "●"; content: attr(data-letter); }')
