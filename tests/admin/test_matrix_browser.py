"""The matrix in a real browser, under a policy that forbids all script in the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import path
from playwright.sync_api import Locator, Page, expect

from authkit.models import Role, Rule
from tests.access.urls import plain, urlpatterns
from tests.admin.access_world import (
    URLS,
    matrix_url,
    register_conditions,
    review_all,
    role,
    rule,
    rules,
)
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

expect.set_options(timeout=20_000)  # for a machine that is busy with other tests

CSP = "demo_project.middleware.ContentSecurityPolicyMiddleware"


class ManyUrls:
    """A URLconf with 300 endpoints."""

    urlpatterns = [
        *urlpatterns,
        *(path(f"app{n % 20}/thing{n}/", plain, name=f"app{n % 20}-thing{n}") for n in range(300)),
    ]


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLS
    settings.MIDDLEWARE = [CSP, *settings.MIDDLEWARE]
    register_conditions(monkeypatch)
    author = role("author", "allow api.person:create", "allow api.person:update when themselves")
    role("editor", "allow api.person:*", "deny api.person:destroy", includes=[author])
    role("auditor", "allow api.*:read")
    review_all()


@pytest.fixture
def matrix(page: Page, live_server: Any, superuser: Any) -> Iterator[Page]:
    """The page. Nothing on it may break, and nothing may be blocked."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto(live_server.url + matrix_url())
    page.locator("#id_username").fill(superuser.get_username())
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    expect(page.get_by_role("grid")).to_be_visible()
    yield page
    assert [problem for problem in problems if "status of 409" not in problem] == []


def row(page: Page, key: str, words: str = "*") -> Locator:
    return page.locator(f'tr.ak-row[data-key="{key}"][data-words="{words}"]')


def cell(page: Page, slug: str, key: str, words: str = "*") -> Locator:
    columns = page.locator("#ak-grid thead [data-role]")
    slugs = columns.evaluate_all("all => all.map(each => each.dataset.role)")
    return row(page, key, words).locator("td button").nth(slugs.index(slug))


def unfold(page: Page, key: str) -> None:
    row(page, key).locator(".ak-open").click()
    expect(row(page, key, "read")).to_be_visible()


def choose(page: Page, button: Locator, text: str) -> None:
    button.click()
    page.get_by_role("menuitemradio", name=text, exact=True).click()


def press_until(page: Page, key: str, is_there: Callable[[], bool]) -> None:
    for _ in range(20):
        if is_there():
            return
        page.keyboard.press(key)
    raise AssertionError(focused(page))


def focused(page: Page) -> str:
    found: str = page.evaluate(
        """() => {
            const at = document.activeElement;
            const row = at.closest("tr.ak-row");
            const cell = at.closest("td");
            if (!row) { return at.textContent; }
            const head = cell && document.querySelector("#ak-grid thead tr").cells[cell.cellIndex];
            return `${head ? head.dataset.role : ""} ${row.dataset.key}:${row.dataset.words}`;
        }"""
    )
    return found


def test_cells_are_edited_by_clicking_previewed_and_saved_as_one(matrix: Page):
    unfold(matrix, "api.person")
    choose(matrix, cell(matrix, "author", "api.person", "read"), "allow if it is their own account")
    choose(matrix, cell(matrix, "auditor", "plain"), "deny")
    expect(matrix.locator(".ak-edits")).to_have_text("Changed cells: 2")
    expect(matrix.locator(".ak-pending")).to_have_count(2)
    before = rules()
    matrix.get_by_role("button", name="Preview").click()
    expect(matrix.get_by_role("heading", name="What would change")).to_be_visible()
    expect(matrix.get_by_text("new rule: allow if it is their own account")).to_be_visible()
    assert rules() == before
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("2 rules were changed.")).to_be_visible()
    assert rules() - before == {
        "author: allow api.person:read when themselves",
        "auditor: deny plain:*",
    }
    assert before < rules()


def test_the_keyboard_does_all_of_it(matrix: Page):
    matrix.locator("#ak-q").focus()
    matrix.keyboard.type("api.")
    press_until(matrix, "Tab", lambda: focused(matrix).startswith("api"))
    press_until(matrix, "ArrowDown", lambda: focused(matrix) == " api.person:*")
    matrix.keyboard.press("Enter")
    expect(row(matrix, "api.person", "read")).to_be_visible()
    matrix.keyboard.press("ArrowDown")
    assert focused(matrix) == "anyone api.person:read"
    matrix.keyboard.press("ArrowUp")
    assert focused(matrix) == " api.person:*"
    matrix.keyboard.press("ArrowDown")
    matrix.keyboard.press("End")
    assert focused(matrix) == "editor api.person:read"
    matrix.keyboard.press("ArrowLeft")
    assert focused(matrix) == "author api.person:read"
    matrix.keyboard.press("Enter")
    expect(matrix.get_by_role("menu")).to_be_visible()
    matrix.keyboard.press("Escape")
    expect(matrix.get_by_role("menu")).to_have_count(0)
    assert focused(matrix) == "author api.person:read"
    matrix.keyboard.press("Enter")
    matrix.keyboard.press("ArrowDown")
    matrix.keyboard.press("Enter")
    expect(matrix.locator(".ak-edits")).to_have_text("Changed cells: 1")
    assert focused(matrix) == "author api.person:read"
    name = "() => document.activeElement.name"
    press_until(matrix, "Tab", lambda: matrix.evaluate(name) == "_preview")
    matrix.keyboard.press("Enter")
    expect(matrix.get_by_text("new rule: allow")).to_be_visible()


def test_only_one_cell_is_a_stop_of_the_tab_key(matrix: Page):
    unfold(matrix, "api.person")
    cell(matrix, "author", "api.person", "read").focus()
    stops = matrix.locator('#ak-grid [tabindex="0"]')
    expect(stops).to_have_count(1)
    assert (
        matrix.locator("#ak-grid a:not([tabindex]), #ak-grid button:not([tabindex])").count() == 0
    )


def test_the_way_back_from_the_preview_keeps_what_was_changed(matrix: Page):
    unfold(matrix, "api.person")
    choose(matrix, cell(matrix, "author", "api.person", "read"), "allow")
    choose(matrix, cell(matrix, "author", "plain"), "allow")
    matrix.get_by_role("button", name="Preview").click()
    matrix.get_by_role("button", name="Back to the matrix").click()
    expect(matrix.locator(".ak-edits")).to_have_text("Changed cells: 2")
    expect(row(matrix, "api.person", "read").locator(".ak-pending")).to_have_count(1)
    matrix.get_by_role("button", name="Discard").click()
    expect(matrix.locator(".ak-pending")).to_have_count(0)
    expect(matrix.locator("#ak-form")).to_be_hidden()


def test_what_somebody_else_changed_meanwhile_is_shown_before_it_is_saved(matrix: Page):
    choose(matrix, cell(matrix, "auditor", "plain"), "deny")
    matrix.get_by_role("button", name="Preview").click()
    rule(Role.objects.get(slug="author"), "allow plain:read")
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("Somebody else has changed access meanwhile")).to_be_visible()
    assert "auditor: deny plain:*" not in rules()
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("1 rule was changed.")).to_be_visible()
    assert {"auditor: deny plain:*", "author: allow plain:read"} <= rules()


def test_a_cell_with_several_rules_changes_by_one_at_a_time(matrix: Page):
    rule(Role.objects.get(slug="author"), "deny api.person:update when grouped")
    matrix.reload()
    unfold(matrix, "api.person")
    button = cell(matrix, "author", "api.person", "update")
    button.click()
    texts = matrix.get_by_role("menuitemradio").all_text_contents()
    assert "no rule" not in texts
    assert "as it is: allow if it is their own account and deny if grouped" in texts
    matrix.get_by_role("menuitemradio", name="deny if grouped", exact=True).click()
    matrix.get_by_role("button", name="Preview").click()
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("1 rule was changed.")).to_be_visible()
    found = Rule.objects.filter(role__slug="author", actions="update")
    assert [str(one) for one in found] == ["deny api.person:update when grouped"]


def test_groups_fold_and_the_search_finds(matrix: Page):
    matrix.locator(".ak-group button", has_text="api").first.click()
    expect(row(matrix, "api.person")).to_be_hidden()
    matrix.locator(".ak-group button", has_text="api").first.click()
    matrix.locator("#ak-q").fill("PERS")
    expect(row(matrix, "plain")).to_be_hidden()
    expect(row(matrix, "api.person")).to_be_visible()
    expect(matrix.locator(".ak-count")).to_have_text("Endpoints: 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_in_cells_stands_out_from_them(matrix: Page, scheme: Any):
    matrix.emulate_media(color_scheme=scheme)
    unfold(matrix, "api.person")
    worst = matrix.evaluate(CONTRAST)
    assert worst >= 4.5


#: WCAG 2.2, 1.4.3: the lowest contrast of a cell's text with all that lies beneath it.
CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const under = (node) => node === null ? [] : [
        ...under(node.parentElement), getComputedStyle(node).backgroundColor];
    const painted = (colours) => {
        canvas.fillStyle = "#fff";
        canvas.fillRect(0, 0, 1, 1);
        for (const colour of colours) {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
        }
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const cells = [...document.querySelectorAll("#ak-grid td button, #ak-grid th a")];
    return Math.min(...cells.map((cell) => {
        const one = painted(under(cell));
        const two = painted([...under(cell), getComputedStyle(cell).color]);
        return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    }));
}"""


@pytest.mark.slow
def test_three_hundred_endpoints_and_thirty_roles_answer_at_once(matrix: Page, settings: Any):
    settings.ROOT_URLCONF = ManyUrls
    review_all()
    Role.objects.bulk_create(Role(slug=f"r{n:02}", name=f"Role {n}") for n in range(30))
    matrix.reload()
    expect(row(matrix, "app19-thing299")).to_be_attached()
    assert matrix.locator("#ak-grid td").count() > 300 * 30
    began = time.monotonic()
    cell(matrix, "r29", "app5-thing105").click()
    matrix.keyboard.press("Escape")
    matrix.locator("#ak-q").fill("thing29")
    expect(row(matrix, "plain")).to_be_hidden()
    assert time.monotonic() - began < 5  # of a busy machine; a person's takes a blink
