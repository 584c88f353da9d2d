"""Who may do what: every person, every endpoint, every kind of credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.demo.client import Client

pytestmark = pytest.mark.default_user_only

KINDS = ("session", "token", "jwt")
PEOPLE = ("stranger", "uma", "bob", "alice", "ed", "ada", "root")


@dataclass(frozen=True)
class Call:
    """A request, and what comes of it."""

    method: str
    path: str
    may: set[str]
    body: object = None
    succeeds: int = 200
    refused: int = 403
    stranger: int = 401
    but: dict[str, int] = field(default_factory=dict)

    def status_for(self, person: str) -> int:
        """What the answer's status should be."""
        if person in self.may:
            return self.succeeds
        return self.but.get(person, self.stranger if person == "stranger" else self.refused)


EVERYONE = set(PEOPLE)
SIGNED_IN = EVERYONE - {"stranger"}
AUTHOR = {"alice", "ed", "root"}  # of the articles below, and who may do what she may
EDITORS = {"ed", "root"}
TEXT = {"title": "By Alice", "body": "…"}
OUT, DRAFT = "/api/articles/{published}/", "/api/articles/{draft}/"

#: {published} and {draft} are articles by Alice, made for the one call. Who may do something
#: with no article at all is told so (403), whichever they name; who may with their own, and
#: cannot see this one, does not find it (404).
CALLS = {
    "ask-health": Call("GET", "/api/health/", EVERYONE),
    "see-profile": Call("GET", "/api/profile/", SIGNED_IN),
    "edit-profile": Call("PATCH", "/api/profile/", SIGNED_IN, {"last_name": "Day"}),
    "list-people": Call("GET", "/api/users/", {"ada", "root"}),
    "see-person": Call("GET", "/api/users/1/", {"ada", "root"}),
    "see-sales": Call("GET", "/reports/sales/", {"ada", "root"}),
    "list": Call("GET", "/api/articles/", EVERYONE),
    "read": Call("GET", OUT, EVERYONE),
    "read-draft": Call("GET", DRAFT, AUTHOR, refused=404, stranger=404),
    "write": Call("POST", "/api/articles/", AUTHOR | {"bob"}, TEXT, succeeds=201),
    "edit": Call("PATCH", OUT, AUTHOR, {"title": "Edited"}),
    "edit-draft": Call("PATCH", DRAFT, AUTHOR, {"title": "Edited"}, but={"bob": 404}),
    "replace": Call("PUT", OUT, AUTHOR, TEXT),
    "delete": Call("DELETE", OUT, AUTHOR, succeeds=204),
    "delete-draft": Call("DELETE", DRAFT, AUTHOR, succeeds=204, but={"bob": 404}),
    "publish": Call("POST", OUT + "publish/", EDITORS, {}),
    "publish-draft": Call("POST", DRAFT + "publish/", EDITORS, {}),
}


def _cases() -> list[object]:
    return [
        pytest.param(name, person, kind, id=f"{person}-{kind}-{name}")
        for person in PEOPLE
        for kind in (KINDS if person != "stranger" else ("nothing",))
        for name in CALLS
    ]


@pytest.mark.parametrize(("name", "person", "kind"), _cases())
def test_the_answer_depends_on_the_person_and_not_on_the_credential(
    name: str, person: str, kind: str, client_of: Callable[[str, str], Client]
):
    call = CALLS[name]
    path = _with_articles(call.path, client_of)
    answer = client_of(person, kind).call(call.method, path, call.body)
    assert answer.status == call.status_for(person), answer.text
    if answer.status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def _with_articles(path: str, client_of: Callable[[str, str], Client]) -> str:
    if "{" not in path:
        return path
    editor = client_of("ed", "jwt")
    alice = client_of("alice", "jwt").get("/api/profile/").json["id"]
    for name in ("draft", "published"):
        if f"{{{name}}}" in path:
            text = TEXT | {"author": alice, "published": name == "published"}
            made = editor.call("POST", "/api/articles/", text)
            path = path.replace(f"{{{name}}}", str(made.json["id"]))
    return path


@pytest.fixture
def alice(client_of: Callable[[str, str], Client]) -> Client:
    return client_of("alice", "jwt")


@pytest.fixture
def editor(client_of: Callable[[str, str], Client]) -> Client:
    return client_of("ed", "jwt")


def test_an_author_cannot_write_in_anothers_name_nor_publish(alice: Client):
    own_id = alice.get("/api/profile/").json["id"]
    text = {"title": "Mine", "body": "…", "author": own_id + 1, "published": True}
    made = alice.call("POST", "/api/articles/", text).json
    assert (made["author"], made["published"]) == (own_id, False)
    changed = alice.call("PATCH", f"/api/articles/{made['id']}/", text).json
    assert (changed["author"], changed["published"]) == (own_id, False)


def test_an_editor_writes_in_their_own_name_unless_they_say_otherwise(
    alice: Client, editor: Client
):
    own_id = editor.get("/api/profile/").json["id"]
    her_id = alice.get("/api/profile/").json["id"]
    text = {"title": "Somebody's", "body": "…"}
    assert editor.call("POST", "/api/articles/", text).json["author"] == own_id
    other = editor.call("POST", "/api/articles/", text | {"author": her_id})
    assert other.json["author"] == her_id


def test_authors_see_their_own_drafts_in_the_list_and_no_others(
    client_of: Callable[[str, str], Client],
):
    drafts = {name: _authors_of_drafts(client_of(name, "token")) for name in PEOPLE}
    alice, bob = (client_of(n, "token").get("/api/profile/").json["id"] for n in ("alice", "bob"))
    assert drafts["stranger"] == drafts["uma"] == drafts["ada"] == set()
    assert drafts["alice"] == {alice}
    assert drafts["bob"] == {bob}
    assert drafts["ed"] == drafts["root"] > {alice, bob}


def _authors_of_drafts(client: Client) -> set[int]:
    page, found = "/api/articles/", set()
    while page:
        body = client.get(page).json
        found |= {one["author"] for one in body["results"] if not one["published"]}
        page = (body["next"] or "").removeprefix(client.url)
    return found


def test_a_profile_shows_and_changes_only_its_owner(client_of: Callable[[str, str], Client]):
    uma = client_of("uma", "session")
    given = {"first_name": "U.", "is_staff": True, "is_superuser": True, "id": 1, "username": "x"}
    changed = uma.call("PATCH", "/api/profile/", given).json
    assert (changed["first_name"], changed["username"]) == ("U.", "uma")
    assert uma.get("/api/users/").status == 403
    assert uma.call("PUT", "/api/profile/", given).status == 405


def test_an_empty_change_changes_nothing(alice: Client):
    made = alice.call("POST", "/api/articles/", TEXT).json
    assert alice.call("PATCH", f"/api/articles/{made['id']}/", {}).json == made
    assert alice.call("PATCH", "/api/profile/", {}).json == alice.get("/api/profile/").json


def test_a_credential_that_is_not_valid_is_refused_where_strangers_are_welcome(
    client_of: Callable[[str, str], Client],
):
    stranger = client_of("stranger", "nothing")
    for path in ("/api/health/", "/api/articles/", "/reports/sales/"):
        answer = stranger.call("GET", path, Authorization="Bearer ak_nonsense")
        assert answer.status == 401
        assert answer.json["code"] == "token_not_valid"


@pytest.mark.parametrize(
    "body",
    [
        {"title": "", "body": "…"},
        {"title": "x" * 201, "body": "…"},
        {"title": "\x00", "body": "…"},
        {"title": "x", "body": "x" * 20_001},
        {"title": "x", "body": "…", "author": 10**30},
        {"title": "x", "body": "…", "author": {"id": 1}},
        ["title"],
        "text",
    ],
    ids=range(8),
)
def test_what_is_not_an_article_is_a_bad_request(body: object, editor: Client):
    assert editor.call("POST", "/api/articles/", body).status == 400


def test_an_id_that_no_database_knows_is_not_found(editor: Client):
    assert editor.get(f"/api/articles/{10**30}/").status == 404
    assert editor.call("DELETE", "/api/articles/0/").status == 404


def test_the_page_and_its_answers_forbid_what_browsers_need_not_do(
    client_of: Callable[[str, str], Client],
):
    headers = client_of("stranger", "nothing").get("/").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_is_told_what_they_may_do_and_why_not_the_rest(
    kind: str, client_of: Callable[[str, str], Client]
):
    def told(person: str) -> dict[str, tuple[object, str]]:
        found = client_of(person, kind if person != "stranger" else "nothing").get("/may/")
        return {one["access"]: (one["allowed"], " ".join(one["help"])) for one in found.json}

    uma, ada, alice, stranger = map(told, ("uma", "ada", "alice", "stranger"))
    assert uma["api.profile:GET"] == (True, "")
    allowed, help_text = uma["api.user:list"]
    assert allowed is False
    assert "Administrator" in help_text
    assert ada["api.user:list"] == (True, "")
    assert alice["api.article:update"][0] is None  # for some
    assert uma["api.article:update"][0] is False
    allowed, help_text = stranger["api.profile:GET"]
    assert allowed is False
    assert "Sign in" in help_text
