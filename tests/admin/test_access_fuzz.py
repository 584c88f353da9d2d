"""Whatever is sent to the pages about access, none of them breaks: no answer is a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authkit.models import Assignment, Endpoint, Role, Rule
from authkit.testing import client_for
from tests.admin.access_world import EXPLAIN, MATRIX, URLS, register_conditions, review_all, role
from tests.admin.pages import signed_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.default_user_only,
]

User: Any = get_user_model()
FEW = settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)

#: What people do not type: NUL, half of a surrogate pair, huge numbers, other scripts.
_NUMBERS = ["9" * 30, "-1", "1e999", "\u0663", "\uff11"]
ODD = st.sampled_from(["\x00", "\ud800", "%00", "'", "[]", "{}", "null", "\r\n", *_NUMBERS])
WORDS = st.sampled_from(
    ["clerk", "anyone", "api.person:read", "api.person", "*:*", "allow", "deny", "themselves", "1"]
)
TEXT = st.one_of(ODD, WORDS, st.text(max_size=20), st.integers().map(str))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
EDIT = st.one_of(
    TEXT,
    JSON.map(json.dumps),
    st.tuples(
        TEXT, TEXT, TEXT, st.lists(st.tuples(TEXT, st.one_of(st.none(), TEXT)), max_size=2)
    ).map(json.dumps),
)
QUERY = st.dictionaries(
    st.one_of(
        TEXT,
        st.sampled_from(
            ["q", "roles", "rows", "endpoint", "user", "name", "access", "object", "p", "o", "all"]
        ),
        st.sampled_from(["role__id__exact", "user__id", "_changelist_filters", "_popup", "e"]),
    ),
    TEXT,
    max_size=4,
)


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLS
    register_conditions(monkeypatch)
    role("clerk", "allow api.*:list", "allow api.person:read when themselves")
    review_all()


@pytest.fixture(params=["superuser", "delegated"])
def caller(request: Any, root: Any, ada: Any) -> Any:
    return signed_in(root if request.param == "superuser" else ada)


def answer(call: Any, *args: Any, **kwargs: Any) -> None:
    """No 5xx; a text that cannot even be encoded is nothing that a browser could send."""
    try:
        response = call(*args, **kwargs)
    except UnicodeEncodeError:
        return
    assert response.status_code < 500, (args, kwargs)


@FEW
@given(query=QUERY)
def test_lists_and_pages_bear_any_query(caller, query):
    for name in (MATRIX, EXPLAIN):
        answer(caller.get, reverse(name), query)
    for model in (Role, Rule, Assignment, Endpoint, User):
        if model is not Rule:
            label = f"{model._meta.app_label}_{model._meta.model_name}"
            answer(caller.get, reverse(f"admin:{label}_changelist"), query)
            answer(caller.get, reverse(f"admin:{label}_changelist") + "add/", query)


@FEW
@given(
    edits=st.lists(EDIT, max_size=3),
    button=st.sampled_from(["_preview", "_save", "_edit", "x"]),
    number=TEXT,
)
def test_the_matrix_bears_any_post(caller, edits, button, number):
    form = {"edit": edits, button: "1", "policy_number": number, "seen": number}
    answer(caller.post, reverse(MATRIX), form)


ROLE_FIELDS = ("slug", "name", "description", "includes", "permissions")
RULE_FIELDS = ("id", "role", "effect", "endpoints", "actions", "condition", "is_enabled", "DELETE")


@FEW
@given(data=st.data())
def test_the_pages_of_roles_bear_any_post(caller, data):
    clerk = Role.objects.get(slug="clerk")
    form = {name: data.draw(TEXT) for name in ROLE_FIELDS if data.draw(st.booleans())}
    for prefix in ("rules", "authkit_assignments", "assignments"):
        form |= {f"{prefix}-{name}_FORMS": data.draw(TEXT) for name in ("TOTAL", "INITIAL")}
        if data.draw(st.booleans()):
            form |= {f"{prefix}-TOTAL_FORMS": "2", f"{prefix}-INITIAL_FORMS": "1"}
        for number in range(2):
            form |= {f"{prefix}-{number}-{name}": data.draw(TEXT) for name in RULE_FIELDS}
    for address in ("add/", f"{clerk.pk}/change/", f"{data.draw(ODD)}/change/"):
        answer(caller.post, reverse("admin:authkit_role_changelist") + address, form)
    label = f"{User._meta.app_label}_{User._meta.model_name}"
    person = {
        name: data.draw(TEXT)
        for name in ("username", "email", "is_active", "is_superuser", "groups", "date_joined_0")
    }
    somebody = User.objects.order_by("-pk").first()
    for address in ("add/", f"{somebody.pk}/change/", f"{data.draw(ODD)}/change/"):
        answer(caller.post, reverse(f"admin:{label}_changelist") + address, form | person)


@FEW
@given(
    fields=st.dictionaries(
        st.sampled_from(["role", "user", "group", "starts_at_0", "starts_at_1", "ends_at_0"]), TEXT
    ),
    action=TEXT,
    chosen=st.lists(TEXT, max_size=2),
)
def test_assignments_endpoints_and_actions_bear_any_post(caller, fields, action, chosen):
    answer(caller.post, reverse("admin:authkit_assignment_add"), fields)
    form = {"action": action, "_selected_action": chosen, "index": "0"}
    for model in ("assignment", "role", "endpoint"):
        answer(caller.post, reverse(f"admin:authkit_{model}_changelist"), form)
        known = {**form, "action": "delete_selected", "post": "yes"}
        answer(caller.post, reverse(f"admin:authkit_{model}_changelist"), known)


@FEW
@given(query=QUERY, kind=st.sampled_from(["session", "token", "jwt"]))
def test_what_one_may_do_bears_any_query(superuser, query, kind):
    answer(client_for(superuser, kind).get, "/auth/access/", query)
