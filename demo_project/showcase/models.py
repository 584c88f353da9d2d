"""What the demo keeps for its own pages."""

from django.db import models


class Mail(models.Model):
    """A mail that the demo has sent: nowhere but to a page where one can read it."""

    sent_at = models.DateTimeField(auto_now_add=True)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=998)
    text = models.TextField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.address}: {self.subject}"


class Arrow(models.Model):
    """What the server has asked Demo ID for one page that waits; kept for minutes."""

    ride = models.CharField(max_length=36, db_index=True)
    flown_at = models.DateTimeField(auto_now_add=True, db_index=True)
    told = models.JSONField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.ride}: {self.told}"
