"""The endpoints. Who may use them stands in `permissions`."""

from typing import cast

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework import generics, viewsets
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from demo_project.articles.models import Article, Report
from demo_project.articles.permissions import (
    ArticlePermission,
    IsAdministrator,
    has_role,
    permission_required,
    visible_articles,
)
from demo_project.articles.serializers import (
    ArticleSerializer,
    EditedArticleSerializer,
    ProfileSerializer,
    UserSerializer,
)


class ProfileView(generics.RetrieveUpdateAPIView[User]):
    """The caller, and nobody else."""

    serializer_class = ProfileSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        """There is no id in the address that one could change."""
        return cast(User, self.request.user)


class UserViewSet(viewsets.ReadOnlyModelViewSet[User]):
    """The people of the magazine."""

    queryset = User.objects.prefetch_related("groups").order_by("id")
    serializer_class = UserSerializer
    permission_classes = [IsAdministrator]
    lookup_value_converter = "int"


class ArticleViewSet(viewsets.ModelViewSet[Article]):
    """Read, write and publish articles."""

    queryset = Article.objects.all()
    permission_classes = [ArticlePermission]
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Article]:
        """What this caller may see."""
        return visible_articles(self.request.user)

    def get_serializer_class(self) -> type[ArticleSerializer]:
        """Only editors choose who the author is and whether it is published."""
        if has_role(self.request.user, "editor"):
            return EditedArticleSerializer
        return ArticleSerializer

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


@never_cache
@require_safe
@permission_required("demo.view_report")
def sales(request: HttpRequest) -> JsonResponse:
    """A plain Django view: the same three credentials work here."""
    total = Report.objects.aggregate(
        months=Count("id"), copies=Sum("copies"), revenue=Sum("revenue")
    )
    months = list(Report.objects.values("month", "copies", "revenue"))
    return JsonResponse({"total": total, "months": months})


@api_view(["GET"])
@permission_classes([AllowAny])
def health(request: Request) -> Response:
    """Whether the service is up."""
    return Response({"status": "ok"})
