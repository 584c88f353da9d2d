"""authkit among the views of a project."""

from itertools import permutations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
)
from rest_framework.authentication import SessionAuthentication as StockSessionAuthentication
from rest_framework_simplejwt.authentication import JWTAuthentication as SimpleJWTAuthentication

from authkit.authentication import JWTAuthentication, SessionAuthentication, TokenAuthentication
from tests.api import views
from tests.opened import opened
from tests.urls import urlpatterns as of_every_test

OURS: dict[str, type[BaseAuthentication]] = {
    "jwt": JWTAuthentication,
    "token": TokenAuthentication,
    "session": SessionAuthentication,
}
FOREIGN: dict[str, type[BaseAuthentication]] = {
    "basic": BasicAuthentication,
    "simplejwt": SimpleJWTAuthentication,
}

#: Each class alone, and all in any order.
ORDERS = [order for length in (1, 2, 3) for order in permutations(OURS, length)]

#: The same with one foreign class among them.
MIXED = [
    (*order[:place], foreign, *order[place:])
    for order in ORDERS
    for foreign in FOREIGN
    for place in range(len(order) + 1)
]


def _of_classes(names: tuple[str, ...]) -> list[type[BaseAuthentication]]:
    return [(OURS | FOREIGN)[name] for name in names]


urlpatterns = opened(
    [
        *of_every_test,
        path("api/closed/", views.Closed.as_view(), name="closed"),
        path("api/open/", views.Open.as_view()),
        path("api/touching/", views.Touching.as_view()),
        path("api/failing/", views.Failing.as_view()),
        path("plain/", views.plain),
        path("plain/touching/", views.touching),
        path("plain/failing/", views.failing),
        path("plain/without-login/", views.without_login),
        path("async/", views.of_async),
        path("async/touching/", views.touching_async),
        path("login/", LoginView.as_view(template_name="admin/login.html"), name="login"),
        path("logout/", LogoutView.as_view()),
        path("sign-in/", views.signing_in),
        path("sign-in/async/", views.signing_in_async),
        path("password/", views.changing_password),
        path("rolled-back/", views.rolled_back),
        path("stock-first/", views.open_to([StockSessionAuthentication, TokenAuthentication])),
        *(
            path(f"mixed/{'/'.join(names)}/", views.open_to(_of_classes(names)))
            for names in [*ORDERS, *MIXED]
        ),
    ]
)
