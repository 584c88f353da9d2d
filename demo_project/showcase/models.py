"""The mails that the demo sends: they go nowhere but to a page where one can read them."""

from django.db import models


class Mail(models.Model):
    sent_at = models.DateTimeField(auto_now_add=True)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=998)
    text = models.TextField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.address}: {self.subject}"
