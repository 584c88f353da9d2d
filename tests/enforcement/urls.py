"""Views of every kind, governed by rules. Some do what careless people do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.forms import Form, ModelChoiceField, ModelForm, ModelMultipleChoiceField
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import CreateView, UpdateView
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import ValidationError
from rest_framework.fields import IntegerField
from rest_framework.permissions import AllowAny
from rest_framework.relations import PrimaryKeyRelatedField, SlugRelatedField
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer, Serializer
from rest_framework.urlpatterns import format_suffix_patterns
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from authkit.access import acting, can, conditions, visible
from authkit.decorators import public, require
from authkit.filters import AccessFilterBackend
from authkit.models import Assignment
from authkit.permissions import EndpointPermission
from demo_project.articles.models import Article
from tests.other_names.models import Piece

GOVERNED: dict[str, Any] = {
    "permission_classes": [EndpointPermission],
    "filter_backends": [AccessFilterBackend],
}


def register_conditions() -> None:
    """What the rules of these tests may name."""
    conditions.condition("own", model=Article)(lambda user: Q(author=user.pk))
    conditions.condition("published", model=Article)(lambda user: Q(published=True))
    conditions.condition("themselves", model=User)(lambda user: Q(pk=user.pk))


class ArticleSerializer(ModelSerializer[Article]):
    class Meta:
        model = Article
        fields = ("id", "title", "body", "author", "published")


class ArticleViewSet(ModelViewSet[Article]):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    permission_classes = [EndpointPermission]
    filter_backends = [AccessFilterBackend]

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        article = self.get_object()
        Article.objects.filter(pk=article.pk).update(published=True)
        return Response({"published": True})


class AnyAuthor(PrimaryKeyRelatedField[User]):
    """Works its rows out itself."""

    def get_queryset(self) -> Any:
        return User.objects.all()


class OfAnyAuthorSerializer(ArticleSerializer):
    author = AnyAuthor()


class OfAnyAuthor(ArticleViewSet):
    serializer_class = OfAnyAuthorSerializer


class TrustingViewSet(ArticleViewSet):
    """Lists no permission class of ours."""

    permission_classes = [AllowAny]


class Forgetful(ArticleViewSet):
    """Neither filters its list nor checks its objects."""

    filter_backends = []

    def get_object(self) -> Article:
        return Article.objects.get(pk=self.kwargs["pk"])

    def perform_create(self, serializer: Any) -> None:
        Article.objects.bulk_create([Article(**serializer.validated_data)])


class PersonSerializer(ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username")


class PersonViewSet(ReadOnlyModelViewSet[User]):
    queryset = User.objects.order_by("pk")
    serializer_class = PersonSerializer
    permission_classes = [EndpointPermission]
    filter_backends = [AccessFilterBackend]


class Lazy(APIView):
    """Never asks anybody: it overrides what asks."""

    permission_classes = [EndpointPermission]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Do nothing of what Django REST framework does here."""

    def get(self, request: Request) -> Response:
        return Response({"secret": True})


class NamingSerializer(Serializer[Any]):
    """Names people, in every way."""

    one = PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)
    several = PrimaryKeyRelatedField(queryset=User.objects.all(), many=True, required=False)
    called = SlugRelatedField(slug_field="username", queryset=User.objects.all(), required=False)


class NestedSerializer(NamingSerializer):
    inner = NamingSerializer(required=False)
    listed = NamingSerializer(many=True, required=False)


def check_names(data: Any) -> None:
    """Without any context, and a list or one."""
    is_many = isinstance(data, list)
    NestedSerializer(data=data, many=is_many).is_valid(raise_exception=True)


class KeyedSerializer(ModelSerializer[Article]):
    """Takes the bare key of a relation."""

    author_id = IntegerField(required=False, allow_null=True)
    whose = IntegerField(source="author_id", required=False)

    class Meta:
        model = Article
        fields = ("id", "title", "author_id", "whose")


class PlainKeyedSerializer(Serializer[Any]):
    """Is of no model."""

    author_id = IntegerField()


class NestedKeyedSerializer(Serializer[Any]):
    inner = KeyedSerializer(required=False)
    listed = KeyedSerializer(many=True, required=False)
    plain = PlainKeyedSerializer(required=False)


class Keyed(APIView):
    permission_classes = [EndpointPermission]
    access_model = Article

    def post(self, request: Request) -> Response:
        NestedKeyedSerializer(data=request.data).is_valid(raise_exception=True)
        return Response({})


class OpenKeyed(Keyed):
    unchecked_relations = ("author_id",)


class ArticleForm(ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Article
        fields = ("title", "body", "author")


class ChoosingForm(Form):
    one = ModelChoiceField(User.objects.all(), required=False)
    several = ModelMultipleChoiceField(User.objects.all(), required=False)
    called = ModelChoiceField(User.objects.all(), to_field_name="username", required=False)


class FormPage(UpdateView):  # type: ignore[type-arg]
    """A page of Django's."""

    model = Article
    form_class = ArticleForm
    success_url = "/health/"

    def form_invalid(self, form: Any) -> HttpResponse:
        return JsonResponse({"errors": form.errors, "form": form.as_p()}, status=400)


class NewPage(CreateView):  # type: ignore[type-arg]
    model = Article
    form_class = ArticleForm
    success_url = "/health/"

    def get_initial(self) -> dict[str, Any]:
        return {"author": self.request.GET.get("author")}

    def form_invalid(self, form: Any) -> HttpResponse:
        return JsonResponse({"errors": form.errors}, status=400)


class OpenNewPage(NewPage):
    unchecked_relations = ("author",)


@csrf_exempt
def choosing(request: HttpRequest) -> HttpResponse:
    form = ChoosingForm(request.POST)
    return JsonResponse(form.errors, status=200 if form.is_valid() else 400)


class Naming(APIView):
    """Makes its serializer itself."""

    permission_classes = [EndpointPermission]

    def post(self, request: Request) -> Response:
        check_names(request.data)
        return Response({})


class Computed(Naming):
    """Works its classes out when it is asked."""

    @property
    def permission_classes(self) -> Any:  # type: ignore[override]
        return [EndpointPermission] if self.request.method == "POST" else []

    @property
    def authentication_classes(self) -> Any:  # type: ignore[override]
        return APIView.authentication_classes

    def get(self, request: Request) -> Response:
        return Response({"secret": True})


class TrustingNaming(Naming):
    permission_classes = [AllowAny]


class OpenNaming(Naming):
    unchecked_relations = ("one", "several")


@csrf_exempt
def plain_naming(request: HttpRequest) -> HttpResponse:
    try:
        check_names(json.loads(request.body))
    except ValidationError as error:
        return JsonResponse(error.get_full_details(), status=400)
    return JsonResponse({})


@csrf_exempt
async def later_naming(request: HttpRequest) -> HttpResponse:
    return await sync_to_async(plain_naming)(request)


@api_view(["GET", "POST"])
@permission_classes([EndpointPermission])
def report(request: Request) -> Response:
    return Response({"method": request.method})


def plain(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"method": request.method})


def plain_list(request: HttpRequest) -> HttpResponse:
    """Applies the decision."""
    rows = visible(Article.objects.all(), request.user, "plain_list:read")
    return JsonResponse({"ids": list(rows.values_list("pk", flat=True))})


def plain_leak(request: HttpRequest) -> HttpResponse:
    """Forgets to."""
    return JsonResponse({"ids": list(Article.objects.values_list("pk", flat=True))})


def plain_count(request: HttpRequest) -> HttpResponse:
    """Saves a row of the caller's, and shows everybody's."""
    Article.objects.filter(author=request.user.pk).get().save()
    return plain_leak(request)


plain_count.access_model = Article  # type: ignore[attr-defined]
plain_list.access_model = plain_leak.access_model = Article  # type: ignore[attr-defined]


@csrf_exempt
def plain_write(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes first and asks never."""
    article = Article.objects.get(pk=pk)
    article.title = "changed"
    article.save()
    return JsonResponse({})


plain_write.access_model = Article  # type: ignore[attr-defined]


@csrf_exempt
def plain_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes any row the caller's own."""
    Article(pk=pk, title="taken", body="b", author_id=request.user.pk or 0).save()
    return JsonResponse({})


plain_take.access_model = Article  # type: ignore[attr-defined]


#: What an upsert names as the conflict that it expects; MySQL takes any.
TARGET = ["pk"] if connection.features.supports_update_conflicts_with_target else None

CARELESS: dict[str, Any] = {
    "take": lambda rows, me, other: rows.update(author=me),
    "rewrite": lambda rows, me, other: rows.update(title="changed"),
    "rewrite_by_values": lambda rows, me, other: rows.values("pk").update(title="changed"),
    "give": lambda rows, me, other: Article.objects.filter(author=me).update(author=other),
    "remove": lambda rows, me, other: rows.delete(),
    "remove_one": lambda rows, me, other: rows.get().delete(),
    "add": lambda rows, me, other: Article.objects.bulk_create(
        [Article(title="added", body="b", author=rows.get().author)]
    ),
    "add_without_keys": lambda rows, me, other: Article.objects.bulk_create(
        [Article(title="added", body="b", author=rows.get().author)], ignore_conflicts=True
    ),
    "upsert": lambda rows, me, other: Article.objects.bulk_create(
        [Article(pk=rows.get().pk, title="changed", body="b", author=me)],
        update_conflicts=True,
        unique_fields=TARGET,
        update_fields=["title", "author"],
    ),
    "rewrite_each": lambda rows, me, other: Article.objects.bulk_update(
        [Article(pk=row.pk, title="changed") for row in rows], ["title"]
    ),
    "take_by_relation": lambda rows, me, other: me.articles.add(*rows),
    "by_another_name": lambda rows, me, other: Piece.objects.filter(pk=rows.get().pk).update(
        title="changed"
    ),
}


@csrf_exempt
def plain_careless(request: HttpRequest, way: str, pk: int) -> HttpResponse:
    """Saves a row of the caller's first; then does something else, and says nothing of it."""
    me: Any = User.objects.get(pk=str(request.user.pk))
    mine = Article.objects.filter(author=me).first()
    if mine is not None:
        mine.save()
    other = User.objects.exclude(pk=me.pk).get()
    CARELESS[way](Article.objects.filter(pk=pk), me, other)
    return JsonResponse({})


plain_careless.access_model = Article  # type: ignore[attr-defined]


@csrf_exempt
def plain_at_once(request: HttpRequest, way: str, pk: int) -> HttpResponse:
    """Does nothing else."""
    me: Any = User.objects.get(pk=str(request.user.pk))
    CARELESS[way](Article.objects.filter(pk=pk), me, me)
    return JsonResponse({})


plain_at_once.access_model = Article  # type: ignore[attr-defined]


@csrf_exempt
def plain_tidy(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes a row for the caller, and others on its own account."""
    mine = Article.objects.get(pk=pk)
    mine.title = "first"
    mine.save()
    with acting.as_system():
        Article.objects.exclude(pk=pk).update(title="later")
        for other in Article.objects.exclude(pk=pk):
            other.save()
    return JsonResponse({})


plain_tidy.access_model = Article  # type: ignore[attr-defined]


def gifts(pk: int) -> Iterator[bytes]:
    yield b"begun "
    Assignment.objects.create(role_id=pk, user=User.objects.get(username="bob"))
    yield b"given"


@csrf_exempt
def stream_gifts(request: HttpRequest, pk: int) -> HttpResponseBase:
    return StreamingHttpResponse(gifts(pk))


@csrf_exempt
async def later_gifts(request: HttpRequest, pk: int) -> HttpResponseBase:
    async def given() -> AsyncIterator[bytes]:
        def given_at_once() -> list[bytes]:
            return list(gifts(pk))

        for chunk in await sync_to_async(given_at_once)():
            yield chunk

    return StreamingHttpResponse(given())


def stream_who(request: HttpRequest) -> HttpResponseBase:
    def told() -> Iterator[bytes]:
        yield b"by "
        yield request.auth.kind.encode()  # type: ignore[attr-defined]

    return StreamingHttpResponse(told())


def changing(pk: int) -> Iterator[bytes]:
    yield b"begun "
    Article.objects.filter(pk=pk).update(title="later")
    yield b"changed"


@csrf_exempt
def stream(request: HttpRequest, mine: int, pk: int) -> HttpResponseBase:
    Article.objects.filter(pk=mine).update(title="first")
    return StreamingHttpResponse(changing(pk))


stream.access_model = Article  # type: ignore[attr-defined]


class StreamApi(APIView):
    permission_classes = [EndpointPermission]
    access_model = Article

    def post(self, request: Request, mine: int, pk: int) -> HttpResponseBase:
        return stream(request, mine, pk)


def stream_file(request: HttpRequest) -> HttpResponseBase:
    return FileResponse(Path(__file__).with_name("test_streams.py").open("rb"))


def remembering(view: Any) -> Any:
    """Answers from a cache, say, and does not reach the view."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse("remembered")

    return answer


class Asking(APIView):
    permission_classes = [EndpointPermission]

    def get(self, request: Request) -> Response:
        return Response({"secret": True})


class Unasking(Asking):
    """Changes its mind about whom to ask."""

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.permission_classes = []

    def get(self, request: Request) -> Response:
        return Response({"secret": True})


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("page")

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("posted")


async def later(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return JsonResponse({"user": user.get_username()})


@public
def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@require("auth.view_group")
def demanding(request: HttpRequest) -> HttpResponse:
    return HttpResponse("yes")


def article_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks about one object."""
    article = Article.objects.get(pk=pk)
    allowed = can(request.user, "article_of:read", article)
    return JsonResponse({"allowed": allowed}, status=200 if allowed else 404)


article_of.access_model = Article  # type: ignore[attr-defined]

router = SimpleRouter()
router.register("articles", ArticleViewSet, basename="article")
router.register("trusting", TrustingViewSet, basename="trusting")
router.register("any_author", OfAnyAuthor, basename="any_author")
router.register("forgetful", Forgetful, basename="forgetful")
router.register("people", PersonViewSet, basename="person")

lookalike = [path("login/", admin.site.login), path("plain/", plain, name="plain")]

urlpatterns = [
    path("auth/", include("authkit.urls")),
    path("api/", include((format_suffix_patterns(router.urls), "api"))),
    path("report/", report, name="report"),
    path("naming/", Naming.as_view(), name="naming"),
    path("keyed/", Keyed.as_view(), name="keyed"),
    path("open_keyed/", OpenKeyed.as_view(), name="open_keyed"),
    path("form/<int:pk>/", FormPage.as_view(), name="form"),
    path("new/", NewPage.as_view(), name="new"),
    path("open_new/", OpenNewPage.as_view(), name="open_new"),
    path("choosing/", choosing, name="choosing"),
    path("computed/", Computed.as_view(), name="computed"),
    path("trusting_naming/", TrustingNaming.as_view(), name="trusting_naming"),
    path("open_naming/", OpenNaming.as_view(), name="open_naming"),
    path("plain_naming/", plain_naming, name="plain_naming"),
    path("later_naming/", later_naming, name="later_naming"),
    path("lazy/", Lazy.as_view(), name="lazy"),
    path("plain/", plain, name="plain"),
    path("list/", plain_list, name="plain_list"),
    path("leak/", plain_leak, name="plain_leak"),
    path("write/<int:pk>/", plain_write, name="plain_write"),
    path("careless/<str:way>/<int:pk>/", plain_careless, name="plain_careless"),
    path("stream/gifts/<int:pk>/", stream_gifts, name="stream_gifts"),
    path("stream/file/", stream_file, name="stream_file"),
    path("stream/who/", stream_who, name="stream_who"),
    path("later/gifts/<int:pk>/", later_gifts, name="later_gifts"),
    path("stream/<int:mine>/<int:pk>/", stream, name="stream"),
    path("stream_api/<int:mine>/<int:pk>/", StreamApi.as_view(), name="stream_api"),
    path("tidy/<int:pk>/", plain_tidy, name="plain_tidy"),
    path("at_once/<str:way>/<int:pk>/", plain_at_once, name="plain_at_once"),
    path("count/", plain_count, name="plain_count"),
    path("take/<int:pk>/", plain_take, name="plain_take"),
    path("remembered/", csrf_exempt(csrf_exempt(remembering(Asking.as_view()))), name="remembered"),
    path("unasking/", Unasking.as_view(), name="unasking"),
    path("lookalike/", include((lookalike, "admin"), namespace="lookalike")),
    path("article/<int:pk>/", article_of, name="article_of"),
    path("page/", Page.as_view(), name="page"),
    path("later/", later, name="later"),
    path("health/", health, name="health"),
    path("demanding/", demanding, name="demanding"),
    path("nameless/", plain),
    path("open/", health),
]
