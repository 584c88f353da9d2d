import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authkit", "0007_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="usersession",
            options={
                "ordering": ["-created_at", "id"],
                "permissions": [("impersonate_user", "Can sign in as somebody else")],
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
            },
        ),
        migrations.AddField(
            model_name="usersession",
            name="impersonator_session_id",
            field=models.UUIDField(db_index=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="usersession",
            name="parked",
            field=models.TextField(blank=True, default="", editable=False),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="impersonator",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="impersonated by",
            ),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="impersonator_name",
            field=models.CharField(blank=True, max_length=254, verbose_name="their name"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["impersonator", "at"], name="authkit_audit_impersonator"),
        ),
    ]
