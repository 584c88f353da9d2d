"""`reports.sales`."""

from django.urls import path

from demo_project.articles import views

app_name = "reports"

urlpatterns = [path("sales/", views.sales, name="sales")]
