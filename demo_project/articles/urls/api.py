"""`api.profile`, `api.user`, `api.article` and `api.health`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from demo_project.articles import views

app_name = "api"

router = SimpleRouter(use_regex_path=False)
router.register("users", views.UserViewSet, basename="user")
router.register("articles", views.ArticleViewSet, basename="article")

urlpatterns = [
    path("profile/", views.ProfileView.as_view(), name="profile"),
    path("health/", views.health, name="health"),
    *router.urls,
]
