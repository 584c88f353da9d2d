from django.apps import AppConfig


class EmailUserConfig(AppConfig):
    name = "tests.user_models.email_user"
    label = "email_user"
