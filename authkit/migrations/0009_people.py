from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authkit", "0006_guards"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["subject", "at"], name="authkit_audit_subject"),
        ),
    ]
