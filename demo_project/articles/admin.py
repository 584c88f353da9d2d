"""The magazine in Django's admin."""

from django.contrib import admin

from demo_project.articles.models import Article, Report


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # takes no argument at runtime
    """All articles, drafts too."""

    list_display = ["title", "author", "published"]
    list_filter = ["published"]
    list_select_related = ["author"]
    search_fields = ["title", "body"]
    autocomplete_fields = ["author"]


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # takes no argument at runtime
    """Sales, month by month."""

    list_display = ["month", "copies", "revenue"]
