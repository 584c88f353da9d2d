"""What a view writes while its answer is being sent is as much its caller's deed as before."""

from __future__ import annotations

from contextlib import aclosing, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import FileResponse, StreamingHttpResponse
from django.test import AsyncClient

from authkit.access.refusals import ExceedsOwnAccess
from authkit.access.streams import send_within
from authkit.exceptions import ConditionNotApplied
from authkit.models import Assignment, AuditEvent, Role
from authkit.testing import client_for
from demo_project.articles.models import Article
from tests.enforcement.test_plain_views import bearer

KINDS = ["session", "token", "jwt"]


def sent(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_while_it_is_sent_the_request_still_says_who_asked(world, kind):
    world.give(world.alice, "allow stream_who:GET")
    response = client_for(world.alice, kind).get("/stream/who/")
    assert sent(response) == f"by {kind}".encode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_gives_what_they_do_not_have_while_an_answer_is_sent(world, kind):
    world.give(world.alice, "allow stream_gifts:POST")
    boss = world.rules("boss", "allow *:*")
    response = client_for(world.alice, kind).post(f"/stream/gifts/{boss.pk}/")
    with pytest.raises(ExceedsOwnAccess):
        sent(response)
    assert not Assignment.objects.filter(role=boss).exists()
    assert AuditEvent.objects.filter(kind="access.refused", actor=world.alice).exists()
    own = Role.objects.get(slug="of-alice")
    response = client_for(world.alice, kind).post(f"/stream/gifts/{own.pk}/")
    assert sent(response) == b"begun given"
    assert Assignment.objects.filter(role=own, user=world.bob).exists()


@pytest.mark.django_db(transaction=True)
def test_nor_while_it_is_sent_by_an_async_view(world):
    world.give(world.alice, "allow later_gifts:POST")
    boss = world.rules("boss", "allow *:*")

    url, headers = f"/later/gifts/{boss.pk}/", {"authorization": bearer(world.alice, "token")}

    async def asked() -> Any:
        response: Any = await AsyncClient().post(url, headers=headers)
        return [chunk async for chunk in response.streaming_content]

    with pytest.raises(ExceedsOwnAccess):
        async_to_sync(asked)()
    assert not Assignment.objects.filter(role=boss).exists()


@pytest.mark.parametrize("view", ["stream", "stream_api"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_out_of_reach_is_not_written_while_an_answer_is_sent(world, kind, view):
    world.give(world.alice, f"allow {view}:POST when own")
    client = client_for(world.alice, kind)
    url = f"/{view}/{world.hers.pk}/"
    for row in (world.his, world.hers):  # nobody could take it back
        response = client.post(f"{url}{row.pk}/")
        assert response.status_code == 200
        with pytest.raises(ConditionNotApplied):
            sent(response)
    assert set(Article.objects.values_list("title", flat=True)) == {"first", "his"}


@pytest.mark.parametrize("view", ["stream", "stream_api"])
def test_who_may_write_every_row_writes_them_then_too(world, view):
    world.give(world.alice, f"allow {view}:POST")
    url = f"/{view}/{world.hers.pk}/{world.his.pk}/"
    assert sent(client_for(world.alice, "token").post(url)) == b"begun changed"
    assert Article.objects.get(pk=world.his.pk).title == "later"


def test_a_file_is_sent_as_ever(world):
    world.give(world.alice, "allow stream_file:GET")
    response = client_for(world.alice).get("/stream/file/")
    assert b"What a view writes" in sent(response)
    with Path(__file__).open("rb") as file:
        answer: Any = FileResponse(file)
        send_within(answer, nullcontext)
        assert answer.file_to_stream is file  # so that a server may send it by itself


def test_an_async_stream_that_is_left_ends_within_what_stood_around_it():
    is_within, ends = ContextVar("is_within", default=False), []

    @contextmanager
    def around():
        token = is_within.set(True)
        yield
        is_within.reset(token)

    async def parts():
        try:
            yield "begun "
            yield "going on"
        finally:
            ends.append(is_within.get())

    async def leave():
        response: Any = StreamingHttpResponse(parts())
        send_within(response, nullcontext)
        send_within(response, around)
        async with aclosing(aiter(response.streaming_content)) as content:
            assert await anext(content) == b"begun "
        response.close()

    async_to_sync(leave)()
    assert ends == [True]
