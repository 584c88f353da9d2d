from django.apps import AppConfig


class ToldUserConfig(AppConfig):
    name = "tests.user_models.told_user"
    label = "told_user"
