from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from tests.user_models.uuid_user.models import User

admin.site.register(User, UserAdmin)
