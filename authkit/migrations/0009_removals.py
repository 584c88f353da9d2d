from django.conf import settings
from django.db import migrations, models

import authkit.models.going_along


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("authkit", "0008_impersonation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="assignment",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=authkit.models.going_along.go_along,
                related_name="authkit_assignments",
                to="auth.group",
                verbose_name="group",
            ),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=authkit.models.going_along.go_along,
                related_name="authkit_assignments",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
    ]
