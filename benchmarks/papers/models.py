"""What is guarded."""

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from authkit.access import condition


class Paper(models.Model):
    """Somebody's own, and shared with some others."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="papers")
    readers = models.ManyToManyField(User, related_name="shared_papers")
    title = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.title


@condition("own", model=Paper)
def own(user: User) -> Q:
    return Q(owner=user.pk)


@condition("shared", model=Paper)
def shared(user: User) -> Q:
    return Q(readers=user.pk)
