"""The app "showcase"."""

from django.apps import AppConfig


class ShowcaseConfig(AppConfig):
    """Has no models: a page, a command and the demo's people and texts."""

    name = "demo_project.showcase"
    verbose_name = "Showcase"
