"""The page, and a sign-in form that needs no JavaScript."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from demo_project.showcase import arrows, mails, may, views

urlpatterns = [
    path("", views.home, name="home"),
    path("dance/", views.dance, name="dance"),
    path("dance/arrows/<uuid:ride>/", arrows.of_ride, name="arrows"),
    path("login/", LoginView.as_view(template_name="showcase/login.html"), name="login"),
    path("may/", may.may, name="may"),
    path("mails/", mails.mails, name="mails"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
