"""Who may do what with the magazine: the whole of it, in this one file.

Roles are Django groups named "administrator", "editor" and "author". A superuser may
do everything.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from demo_project.articles.models import Article

Person = User | AnonymousUser
View = Callable[..., HttpResponseBase]


def has_role(user: Person, *names: str) -> bool:
    """Whether one of these roles is the user's. Asks the database once for each user object."""
    if not user.is_authenticated:
        return False
    if user.is_superuser:
        return True
    if "_roles" not in user.__dict__:
        user.__dict__["_roles"] = set(user.groups.values_list("name", flat=True))
    return not user.__dict__["_roles"].isdisjoint(names)


def visible_articles(user: Person) -> QuerySet[Article]:
    """Published ones for everyone, authors' own drafts, and all of them for editors."""
    if has_role(user, "editor"):
        return Article.objects.all()
    if has_role(user, "author"):
        return Article.objects.filter(Q(published=True) | Q(author_id=user.pk))
    return Article.objects.filter(published=True)


class IsAdministrator(BasePermission):
    """For the role "administrator"."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Any action."""
        return has_role(request.user, "administrator")


class ArticlePermission(BasePermission):
    """Everyone reads what is visible to them; authors write; editors decide.

    Whether a person may change an article is asked of the article, after the look-up:
    one that they cannot see is not found (404), one that they can see is refused (403).
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the request may come in."""
        if request.method in SAFE_METHODS:
            return True
        if getattr(view, "action", None) == "create":
            return has_role(request.user, "author", "editor")
        return request.user.is_authenticated

    def has_object_permission(self, request: Request, view: APIView, obj: Article) -> bool:
        """Whether it may do this to this article."""
        if request.method in SAFE_METHODS or has_role(request.user, "editor"):
            return True
        is_own = has_role(request.user, "author") and obj.author_id == request.user.pk
        return is_own and getattr(view, "action", None) != "publish"


def permission_required(permission: str) -> Callable[[View], View]:
    """Like Django's decorator, for a program at the other end: JSON and no redirect.

    Args:
        permission: such as "demo.view_report".
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _refusal(
                    HTTPStatus.UNAUTHORIZED, "not_authenticated", "Please sign in first."
                )
            if not request.user.has_perm(permission):
                return _refusal(HTTPStatus.FORBIDDEN, "permission_denied", "You may not do this.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _refusal(status: int, code: str, detail: str) -> JsonResponse:
    headers = (
        {"WWW-Authenticate": 'Bearer realm="api"'} if status == HTTPStatus.UNAUTHORIZED else {}
    )
    return JsonResponse({"code": code, "detail": detail}, status=status, headers=headers)
