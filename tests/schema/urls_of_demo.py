"""The demo's, with a word on the one answer that no serializer describes."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema

from demo_project.articles.views import health
from demo_project.urls import urlpatterns

__all__ = ["urlpatterns"]

extend_schema(responses=OpenApiTypes.OBJECT)(health)
