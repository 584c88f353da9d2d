"""The shapes in which the API takes and gives things."""

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model
from rest_framework import serializers

from demo_project.articles.models import Article

Kind = TypeVar("Kind", bound=Model)


class ChangeSerializer(serializers.ModelSerializer[Kind]):
    """Writes the fields that were given and no others: somebody may be changing those."""

    def update(self, instance: Kind, validated_data: dict[str, Any]) -> Kind:
        """In one statement."""
        type(instance)._default_manager.filter(pk=instance.pk).update(**validated_data)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return instance


class ProfileSerializer(ChangeSerializer[User]):
    """A person, as they see themselves."""

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name"]
        read_only_fields = ["id", "username", "email"]


class UserSerializer(serializers.ModelSerializer[User]):
    """A person, as an administrator sees them."""

    roles = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "is_active", "roles"]

    def get_roles(self, person: User) -> list[str]:
        """Their short names, without those that come by a group."""
        return sorted(given.role.slug for given in person.authkit_assignments.all())


class ArticleSerializer(ChangeSerializer[Article]):
    """An article, as its author writes it."""

    class Meta:
        model = Article
        fields = ["id", "title", "body", "author", "published"]
        read_only_fields = ["author", "published"]


class EditedArticleSerializer(ArticleSerializer):
    """An article, as an editor writes it: who wrote it and whether it is out included."""

    class Meta(ArticleSerializer.Meta):
        read_only_fields: list[str] = []
        extra_kwargs = {"author": {"required": False}}
