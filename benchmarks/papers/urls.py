"""Papers, and three hundred things in thirty apps, so that rules have something to be about."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from benchmarks.papers.views import Governed, List, Papers

router = SimpleRouter()
router.register("own", Papers, basename="own")
router.register("shared", Papers, basename="shared")
papers = [
    *router.urls,
    path("list/", List.as_view(), name="list"),
    path("governed/", Governed.as_view(), name="governed"),
]
apps = {
    f"app{app}": [
        path(f"thing{number}/", List.as_view(), name=f"thing{number}")
        for number in range(app, 300, 30)
    ]
    for app in range(30)
}
urlpatterns = [
    path("papers/", include((papers, "papers"))),
    *(path(f"{name}/", include((urls, name))) for name, urls in apps.items()),
]
