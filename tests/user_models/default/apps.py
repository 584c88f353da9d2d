from django.apps import AppConfig


class DefaultUserConfig(AppConfig):
    name = "tests.user_models.default"
    label = "default_user"
