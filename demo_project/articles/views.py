"""The endpoints. The decorators say who may use them at first; the admin site, from then on."""

from typing import cast

from django.contrib.auth.models import User
from django.db.models import Count, Sum
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework import generics, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from authkit.access import decide
from authkit.decorators import allow, locked, public, require
from demo_project.articles.models import Article, Report
from demo_project.articles.serializers import (
    ArticleSerializer,
    EditedArticleSerializer,
    ProfileSerializer,
    UserSerializer,
)


@allow("authenticated", to=["read", "update"])
class ProfileView(generics.RetrieveUpdateAPIView[User]):
    """The caller, and nobody else."""

    serializer_class = ProfileSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        """There is no id in the address that one could change."""
        return cast(User, self.request.user)


@allow("administrator", to="read")
class UserViewSet(viewsets.ReadOnlyModelViewSet[User]):
    """The people of the magazine."""

    queryset = User.objects.prefetch_related("authkit_assignments__role").order_by("id")
    serializer_class = UserSerializer
    lookup_value_converter = "int"


@allow("anyone", to="read", when="published")
@allow("author", to="read", when="own")
@allow("author", to="create")
@allow("author", to=["update", "delete"], when="own")
@allow("editor")
class ArticleViewSet(viewsets.ModelViewSet[Article]):
    """Read, write and publish articles."""

    queryset = Article.objects.all()
    lookup_value_converter = "int"
    #: Editors name authors whom `api.user` does not show them.
    unchecked_relations = ("author",)

    def get_serializer_class(self) -> type[ArticleSerializer]:
        """Whoever may publish chooses who the author is and whether it is published."""
        may_publish = decide(self.request.user, "api.article:publish").allowed
        return EditedArticleSerializer if may_publish else ArticleSerializer

    def perform_create(self, serializer: BaseSerializer[Article]) -> None:
        """The caller is the author, unless an editor named another."""
        serializer.save(author=serializer.validated_data.get("author", self.request.user))

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: int) -> Response:
        """Let everyone read it. Doing it twice changes nothing."""
        article = self.get_object()
        Article.objects.filter(pk=article.pk).update(published=True)
        article.published = True
        return Response(self.get_serializer(article).data)


@allow("authenticated", to="read")
@require("demo.view_report")
@never_cache
@require_safe
def sales(request: HttpRequest) -> JsonResponse:
    """A plain Django view, for whoever holds a permission of Django's."""
    total = Report.objects.aggregate(
        months=Count("id"), copies=Sum("copies"), revenue=Sum("revenue")
    )
    months = list(Report.objects.values("month", "copies", "revenue"))
    return JsonResponse({"total": total, "months": months})


@locked
@public
@api_view(["GET"])
def health(request: Request) -> Response:
    """Whether the service is up."""
    return Response({"status": "ok"})
