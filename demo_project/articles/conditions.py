"""For which objects: an administrator picks one of these for a rule."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from authkit.access import condition
from demo_project.articles.models import Article


@condition("own", model=Article, verbose_name=_("their own articles"))
def own(user: Any) -> Q:
    """Articles that the caller has written."""
    return Q(author=user.pk)


@condition("published", model=Article, verbose_name=_("published articles"))
def published(user: Any) -> Q:
    """Articles for everyone's eyes."""
    return Q(published=True)
