"""The app "demo"."""

from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    """Its label makes the permission's name: `demo.view_report`."""

    name = "demo_project.articles"
    label = "demo"
    verbose_name = "The Harbour Letter"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the conditions known."""
        from demo_project.articles import conditions  # noqa: F401
