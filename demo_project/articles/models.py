"""What the magazine keeps: articles, and what each month sold."""

from django.conf import settings
from django.db import models


class Article(models.Model):
    """A text by one person. Only published ones are for everyone's eyes."""

    title = models.CharField(max_length=200)
    body = models.TextField(max_length=20_000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="articles"
    )
    published = models.BooleanField(default=False, db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class Report(models.Model):
    """The sales of one month. Django gives it the permission `demo.view_report`."""

    month = models.DateField(unique=True, help_text="The first day of the month.")
    copies = models.PositiveIntegerField()
    revenue = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        ordering = ["month"]

    def __str__(self) -> str:
        return f"{self.month:%B %Y}"
