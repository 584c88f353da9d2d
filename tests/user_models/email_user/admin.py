from django.contrib import admin

from tests.user_models.email_user.models import User

admin.site.register(User, search_fields=("email",))
