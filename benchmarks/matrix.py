"""How long the server takes for the matrix: ``python -m benchmarks matrix``.

The page with 300 endpoints and 30 roles, the rows of one endpoint, and the preview of
100 edits: whole requests through Django's test client, on a SQLite file. By the
processor's clock, so that a busy machine makes no difference.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable

_folder = tempfile.TemporaryDirectory(prefix="authkit_bench_")
os.environ["DATABASE_URL"] = f"sqlite:///{_folder.name}/bench.sqlite3"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

import json  # noqa: E402

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import path, reverse  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.viewsets import ViewSet  # noqa: E402

from authkit.access import loading  # noqa: E402
from authkit.models import Endpoint, Role, Rule  # noqa: E402
from tests.people import make_superuser  # noqa: E402
from tests.urls import urlpatterns as others  # noqa: E402

ENDPOINTS, ROLES, RULES = 300, 30, 3_000
ACTIONS = {"get": "list", "post": "create", "put": "update", "delete": "destroy"}
WORDS = ("read", "create", "update", "delete", "*", "update,delete")


class Things(ViewSet):
    """A viewset with the usual actions."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    list = create = update = destroy = answer


urlpatterns = [
    *others,
    *(
        path(
            f"app{n % 20}/thing{n}/",
            Things.as_view(ACTIONS, basename=f"thing{n}"),
            name=f"app{n % 20}-thing{n}",
        )
        for n in range(ENDPOINTS)
    ),
]


def main() -> None:
    settings.ROOT_URLCONF = "benchmarks.matrix"
    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    fill()
    client = Client()
    client.force_login(make_superuser())
    url = reverse("admin:authkit_matrix_changelist")
    edits = json.dumps(
        [[f"r{n % ROLES}", f"thing{n}", "read", [["deny", None]]] for n in range(100)]
    )
    form = {"edit": edits, "_preview": "1"}
    print(f"Python {sys.version.split()[0]}, Django {django.get_version()}")
    print(f"{ENDPOINTS} endpoints, {ROLES} roles, {RULES} rules\n")
    print(f"{'':<32}{'ms':>8}{'queries':>10}{'KiB':>8}")
    tell("the page", lambda: client.get(url))
    tell("the rows of one endpoint", lambda: client.get(url, {"rows": "thing7"}))
    tell("one endpoint, without JavaScript", lambda: client.get(url, {"endpoint": "thing7"}))
    tell("preview of 100 edits", lambda: client.post(url, form))
    tell("the page after a change of a rule", lambda: changed() or client.get(url))
    number = loading.revision_in("default").policy
    began = time.process_time()
    response = client.post(url, {"edit": edits, "_save": "1", "policy_number": number})
    took = (time.process_time() - began) * 1000
    print(f"{'save 100 edits, once':<32}{took:>8.0f}")
    assert response.status_code == 302


def fill() -> None:
    """Roles and rules by chance, and every endpoint looked at."""
    chance = random.Random(2026)
    roles = Role.objects.bulk_create(Role(slug=f"r{n}", name=f"Role {n}") for n in range(ROLES))
    for place, role in enumerate(roles[2::3]):
        role.includes.add(roles[place])
    Rule.objects.bulk_create(
        (
            Rule(
                role=chance.choice(roles),
                effect="deny" if chance.randrange(20) == 0 else "allow",
                endpoints="*" if chance.randrange(100) == 0 else f"thing{chance.randrange(300)}",
                actions=chance.choice(WORDS),
            )
            for _ in range(RULES)
        ),
        ignore_conflicts=True,
    )
    keys = [f"thing{n}" for n in range(ENDPOINTS)]
    now = timezone.now()
    rows = [Endpoint(key=key, found_at=now) for key in keys]
    Endpoint.objects.bulk_create(rows, ignore_conflicts=True)
    Endpoint.objects.filter(key__in=keys).update(state="active", reviewed_at=now)


def changed() -> None:
    rule = Rule.objects.order_by("pk").first()
    assert rule is not None
    rule.save()


def tell(name: str, ask: Callable[[], HttpResponse]) -> None:
    """The best of five, after one that fills what a process remembers."""
    response = ask()
    assert response.status_code == 200
    took = []
    for _ in range(5):
        began = time.process_time()
        response = ask()
        took.append((time.process_time() - began) * 1000)
    with CaptureQueriesContext(connection) as queries:
        ask()
    size = len(response.content) // 1024
    print(f"{name:<32}{min(took):>8.0f}{len(queries):>10}{size:>8}")


if __name__ == "__main__":
    main()
