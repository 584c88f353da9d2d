"""Views as careless projects have them."""

from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authkit.authentication import TokenAuthentication
from tests.opened import opened
from tests.urls import urlpatterns as of_every_test


class Stock(APIView):
    authentication_classes = [SessionAuthentication]
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})

    post = get


class StockThenToken(Stock):
    authentication_classes = [SessionAuthentication, TokenAuthentication]


def plain(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.user.get_username()})


urlpatterns = [
    *of_every_test,
    *opened(
        [
            path("stock/", Stock.as_view(), name="stock"),
            path("plain/", plain, name="plain"),
            path("logout/", LogoutView.as_view(template_name="admin/login.html")),
            re_path("^.*evil.*$", plain),
        ]
    ),
    path("stock-then-token/", StockThenToken.as_view(), name="stock_then_token"),
]
