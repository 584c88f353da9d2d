from django.apps import AppConfig


class UUIDUserConfig(AppConfig):
    name = "tests.user_models.uuid_user"
    label = "uuid_user"
