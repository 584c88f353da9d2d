"""Views of every kind, decorated in every way that people decorate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView
from django.views.static import serve
from rest_framework.decorators import action, api_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet, ViewSet

from authkit.decorators import allow, locked, public, require


class GroupSerializer(ModelSerializer[Group]):
    class Meta:
        model = Group
        fields = ("name",)


@allow("anyone", to="read")
@allow("author", to="create")
@allow("author", to=["update", "delete"], when="own")
@allow("editor")
class GroupViewSet(ModelViewSet[Group]):
    queryset = Group.objects.order_by("pk")
    serializer_class = GroupSerializer

    @require("auth.change_group")
    @action(detail=True, methods=["post"])
    def above(self, request: Request, pk: str) -> Response:
        return Response()

    @action(detail=True, methods=["post"])
    @allow("publisher")
    def below(self, request: Request, pk: str) -> Response:
        return Response()

    @below.mapping.delete
    @locked
    def undo(self, request: Request, pk: str) -> Response:
        return Response()


class OfGroups(GroupViewSet):
    """Overrides a method without saying anything about it."""

    http_method_names = ["get", "post", "head", "options"]

    def above(self, request: Request, pk: str) -> Response:  # type: ignore[override]
        return Response()


class WithoutQueryset(ReadOnlyModelViewSet[Any]):
    access_model = get_user_model()

    def delete(self, request: Request) -> Response:
        """No action leads here, and it answers DELETE all the same."""
        return Response()


class Bare(ViewSet):
    def list(self, request: Request) -> Response:
        return Response()


@require("auth.view_user")
class Guarded:
    """A mixin."""


@require(recent=timedelta(minutes=5))
class Base(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


class Derived(Guarded, Base):
    @require("auth.delete_user")
    def delete(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


@method_decorator(public, name="dispatch")
class OpenByDispatch(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


class InheritsDispatch(OpenByDispatch):
    pass


class ByMethods(View):
    @method_decorator([login_required, require("auth.add_user"), allow("editor")])
    @allow("author")
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    @public
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


class AsyncView(View):
    @method_decorator(require("auth.view_user"))
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


@public
@api_view(["GET"])
def above_api_view(request: Request) -> Response:
    return Response()


@api_view(["GET", "POST"])
@require("auth.view_user")
@allow("editor", to="create")
def below_api_view(request: Request) -> Response:
    return Response()


class OnlyGet(APIView):
    def get(self, request: Request) -> Response:
        return Response()


@csrf_exempt
@login_required
@cache_page(1)
@require("auth.view_user")
def wrapped(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@public
async def later(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def plain(request: HttpRequest, **_: object) -> HttpResponse:
    return HttpResponse()


def forgetful(view: Callable[..., Any]) -> Callable[..., Any]:
    """Copies no attribute, and only says what it wraps."""

    @wraps(view, updated=())
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return wrapper


@forgetful
@require("auth.view_user")
def under_a_forgetful_one(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Answering:
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def method(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


instance = Answering()

router = DefaultRouter()
router.register("groups", GroupViewSet, basename="group")
router.register("few", OfGroups, basename="few")
router.register("people", WithoutQueryset, basename="person")

#: Not an admin site, whatever it calls itself.
pretender = [path("secret/", plain, name="secret")]

shop = [path("basket/", plain, name="basket")]


def careless(view: Any) -> Any:
    """A decorator that somebody wrote without `functools.wraps`."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    return answer


class Careless:
    """A decorator that is an object."""

    def __init__(self, view: Any) -> None:
        self.view = view

    def __call__(self, request: HttpRequest) -> Any:
        return self.view(request)


@careless
@careless
@require("auth.view_user")
def hidden(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@Careless
@require("auth.view_user")
def hidden_in_object(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@careless
@allow("anyone")
@public
def hidden_and_open(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Requiring(View):
    @require("auth.view_user")
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


urlpatterns = [
    path("hidden/", hidden, name="hidden"),
    path("hidden-in-object/", hidden_in_object, name="hidden_in_object"),
    path("hidden-and-open/", hidden_and_open, name="hidden_and_open"),
    path("hidden-class/", careless(Requiring.as_view()), name="hidden_class"),
    path("api/", include((router.urls, "api"))),
    path("bare/", Bare.as_view({"get": "list"}), name="bare"),
    path("derived/", Derived.as_view(), name="derived"),
    path("open/", OpenByDispatch.as_view(), name="open"),
    path("inherits/", InheritsDispatch.as_view(), name="inherits"),
    path("methods/", ByMethods.as_view(), name="methods"),
    path("async/", AsyncView.as_view(), name="async"),
    path("above/", above_api_view, name="above"),
    path("below/", below_api_view, name="below"),
    path("only-get/", OnlyGet.as_view(), name="only_get"),
    path("wrapped/", wrapped, name="wrapped"),
    path("later/", later, name="later"),
    path("forgetful/", under_a_forgetful_one, name="forgetful"),
    path("in-urls/", public(View.as_view()), name="in_urls"),
    path("partly/a/", public(OnlyGet.as_view()), name="partly"),
    path("partly/b/", require("auth.view_user")(OnlyGet.as_view()), name="partly"),
    path("narrow/", OnlyGet.as_view(http_method_names=["options"]), name="narrow"),
    path("partial/", require("auth.view_user")(partial(plain, number=1)), name="partial"),
    path("nameless/partial/", partial(plain, number=2)),
    path("instance/", instance, name="instance"),
    path("bound/", instance.method, name="bound"),
    path("bound/again/", instance.method, name="bound"),
    path("nameless/", later),
    path("about/", TemplateView.as_view(template_name="about.html"), name="page"),
    path("secret/", TemplateView.as_view(template_name="secret.html"), name="page"),
    path("help/", TemplateView.as_view(template_name="help.html"), name="help"),
    path("lists/a/", ListAPIView.as_view(queryset=Group.objects.all()), name="lists"),
    path(
        "lists/b/",
        ListAPIView.as_view(queryset=get_user_model()._default_manager.all()),
        name="lists",
    ),
    path("one/", include((shop, "shop"), namespace="one")),
    path("two/", include((shop, "shop"), namespace="two")),
    re_path(r"^old/", include([re_path(r"^(?P<number>\d+)/$", plain, name="old")])),
    path("accounts/login/", LoginView.as_view(), name="login"),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": "/nowhere"}),
    path("admin/", admin.site.urls),
    path("pretender/", include((pretender, "admin"), namespace="pretender")),
    *i18n_patterns(path("translated/", plain, name="translated")),
]
