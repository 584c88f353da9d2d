"""Rows that hang from one another, behind a manager that hides some, as projects make them.

They name their owner by a bare key, so that their tables need no other app's, and have no
permissions of Django's, which would stand in the admin site.
"""

from __future__ import annotations

from django.db import models


class Kept(models.Manager["Letter"]):
    """Does not know what was put away."""

    def get_queryset(self) -> models.QuerySet[Letter]:
        return super().get_queryset().filter(is_archived=False)


class Label(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Letter(models.Model):
    owner_key = models.BigIntegerField(null=True)
    text = models.CharField(max_length=100, default="")
    is_archived = models.BooleanField(default=False)
    answered = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="answers"
    )
    labels = models.ManyToManyField(Label, related_name="letters")

    kept = Kept()
    every = models.Manager()

    class Meta:
        base_manager_name = "kept"
        default_permissions = ()

    def __str__(self) -> str:
        return self.text


class Parcel(Letter):
    """A part of it is a letter."""

    weight = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()


class Box(Letter):
    """Has pairs of its own."""

    stamps = models.ManyToManyField(Label, related_name="boxes")

    class Meta:
        default_permissions = ()


class Enclosure(Letter):
    """A part of it is a letter, under another key than its own."""

    number = models.BigAutoField(primary_key=True)
    sheet = models.OneToOneField(Letter, on_delete=models.CASCADE, parent_link=True)

    class Meta:
        default_permissions = ()


class Receipt(models.Model):
    """Known by two columns."""

    pk = models.CompositePrimaryKey("office", "number")
    office = models.IntegerField()
    number = models.IntegerField()
    owner_key = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.office}/{self.number}"


class Sticker(models.Model):
    """Gets its key from the database."""

    number = models.BigIntegerField(primary_key=True, db_default=7)
    owner_key = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)


class Seal(models.Model):
    """Keeps a letter from being removed."""

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.letter)
