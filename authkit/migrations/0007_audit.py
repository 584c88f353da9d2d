from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authkit", "0006_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "base_manager_name": "objects",
                "ordering": ["-at", "-id"],
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
            },
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["actor_name", "at"], name="authkit_audit_name"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["subject", "at"], name="authkit_audit_subject"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["session_id", "at"], name="authkit_audit_session"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["ip", "at"], name="authkit_audit_ip"),
        ),
        migrations.AddIndex(
            model_name="bearertoken",
            index=models.Index(fields=["session", "expires_at"], name="authkit_token_session"),
        ),
    ]
