"""A delegated administrator attacks over inlines of the models that Django makes itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from authkit.models import Assignment
from tests.access.writing import permission
from tests.admin.delegated import assert_refused, fresh, management
from tests.admin.pages import signed_in, url
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.admin.urls_of_stock")]

User: Any = get_user_model()
AnyGroup: Any = Group
PREFIXES = {
    User: (User.groups.through, User.user_permissions.through),
    Group: (User.groups.through, AnyGroup.permissions.through),
}


@pytest.fixture
def client(ada):
    names = ("add", "change", "delete", "view")
    label = User._meta.model_name
    ada.user_permissions.add(*(permission(f"{User._meta.app_label}.{n}_{label}") for n in names))
    return signed_in(ada)


def page_of(row: Any) -> str:
    return url(type(row), "change", row.pk).replace("/admin/", "/rows/")


def form_with(row: Any, through: Any, **ends: Any) -> dict[str, Any]:
    """What a browser posts: one new row of this relation."""
    form = {"email": row.email} if isinstance(row, User) else {"name": row.name}
    for one in PREFIXES[User if isinstance(row, User) else Group]:
        form |= management(prefix_of(row, one), 0, int(one is through))
    prefix = prefix_of(row, through)
    return form | {f"{prefix}-0-{name}": end.pk for name, end in ends.items()}


def prefix_of(row: Any, through: Any) -> str:
    if through is User.groups.through:
        return f"{User.__name__}_groups"
    return str(through.__name__)


def far(through: Any, model: Any) -> str:
    return next(str(f.name) for f in through._meta.fields if f.related_model is model)


@pytest.fixture
def strong(payroll) -> Group:
    made = Group.objects.create(name="strong")
    Assignment.objects.create(group=made, role=payroll)
    return made


def test_nobody_joins_a_stronger_group_by_a_row(client, ada, strong):
    through = User.groups.through
    for person in (ada, make_person("bob")):
        form = form_with(person, through, group=strong)
        assert_refused(client.post(page_of(person), form), 403)
        form = form_with(strong, through, **{far(through, User): person})
        assert_refused(client.post(page_of(strong), form), 403)
        assert not person.groups.exists()


def test_nobody_adds_a_permission_that_they_lack_by_a_row(client, ada):
    lacking = permission("sessions.delete_session")
    through = User.user_permissions.through
    for person in (ada, make_person("bob")):
        assert_refused(
            client.post(page_of(person), form_with(person, through, permission=lacking)), 403
        )
        assert not person.user_permissions.filter(pk=lacking.pk).exists()
    group = Group.objects.create(name="mine")
    ada.groups.add(group)
    form = form_with(group, AnyGroup.permissions.through, permission=lacking)
    assert_refused(client.post(page_of(group), form), 403)
    assert not group.permissions.exists()


def test_an_honest_row_is_saved(client, ada):
    bob, group = make_person("bob"), Group.objects.create(name="harmless")
    response = client.post(page_of(bob), form_with(bob, User.groups.through, group=group))
    assert response.status_code == 302, response.text
    assert list(bob.groups.all()) == [group]


def test_a_forged_hash_is_a_new_password_however_old_the_last_one(client, root, settings):
    """Django stores hashes anew when it checks them; a hash out of a form is no such thing."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
    ]
    theirs = make_password("theirs", hasher="scrypt")
    User.objects.filter(pk=root.pk).update(password=theirs)
    flags = dict.fromkeys(("is_active", "is_staff", "is_superuser"), "on")
    form = {"email": root.email, "password": make_password("mine"), **flags}
    response = client.post(url(User, "change", root.pk).replace("/admin/", "/careless/"), form)
    assert response.status_code == 403
    assert fresh(root).password == theirs
