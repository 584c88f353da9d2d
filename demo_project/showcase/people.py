"""Whom one can sign in as."""

from dataclasses import dataclass

from django.contrib.auth.models import Permission, User

from authkit.access.sync import sync
from authkit.models import Assignment, Role

PASSWORD = "authkit-demo-2026"  # noqa: S105 - public: people are loaded with DEBUG on only

#: The Django permissions that each role carries; its rules stand beside the views.
ROLES: dict[str, list[str]] = {
    "administrator": [
        "demo.view_report",
        "auth.view_user",
        "auth.change_user",
        "auth.view_group",
        *(
            f"authkit.{verb}_{model}"
            for model in ("role", "rule", "assignment", "endpoint")
            for verb in ("view", "add", "change", "delete")
        ),
        *(
            f"authkit.view_{model}"
            for model in ("auditevent", "usersession", "bearertoken", "throttle", "socialaccount")
        ),
        "authkit.change_usersession",
        "authkit.change_throttle",
    ],
    "editor": [],
    "author": [],
}


@dataclass(frozen=True)
class Person:
    """Someone who works for the magazine, or reads it."""

    username: str
    first_name: str
    role: str = ""
    is_staff: bool = False
    is_superuser: bool = False
    may: str = ""

    @property
    def email(self) -> str:
        """A domain that is reserved for examples."""
        return f"{self.username}@example.com"

    @property
    def described_role(self) -> str:
        """For people's eyes: the role, or what stands in its place."""
        return "superuser" if self.is_superuser else self.role or "no role"


PEOPLE = [
    Person("root", "Root", is_staff=True, is_superuser=True, may="everything, the whole admin too"),
    Person(
        "ada",
        "Ada",
        "administrator",
        is_staff=True,
        may="see people and sales, enter the admin",
    ),
    Person("ed", "Ed", "editor", may="change, publish and delete every article"),
    Person("alice", "Alice", "author", may="write articles, change their own"),
    Person("bob", "Bob", "author", may="write articles, change their own"),
    Person("uma", "Uma", may="read what is published, edit their profile"),
]


def load() -> dict[str, User]:
    """Create the people, or put them back as they were. Sign-ins of theirs go on.

    What an administrator has changed of the rules stays as it is.

    Returns:
        The users by user name.
    """
    sync()
    roles = {slug: _load_role(slug, permissions) for slug, permissions in ROLES.items()}
    users = {person.username: _load_person(person) for person in PEOPLE}
    for person in PEOPLE:
        given = Assignment.objects.filter(user=users[person.username])
        given.exclude(role__slug=person.role).delete()
        if person.role:
            Assignment.objects.update_or_create(
                user=users[person.username],
                role=roles[person.role],
                defaults={"starts_at": None, "ends_at": None},
            )
    return users


def _load_role(slug: str, permissions: list[str]) -> Role:
    role, _ = Role.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    for name in permissions:
        app_label, codename = name.split(".")
        role.permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return role


def _load_person(person: Person) -> User:
    user, is_new = User.objects.update_or_create(
        username=person.username,
        defaults={
            "email": person.email,
            "is_active": True,
            "is_staff": person.is_staff,
            "is_superuser": person.is_superuser,
        },
        create_defaults={
            "email": person.email,
            "first_name": person.first_name,
            "is_staff": person.is_staff,
            "is_superuser": person.is_superuser,
        },
    )
    if is_new or not user.check_password(PASSWORD):  # a new hash would end all their sign-ins
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return user
