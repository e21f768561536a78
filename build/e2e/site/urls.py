from django.contrib import admin
from django.urls import path

import control
import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("whoami", views.whoami),
    path("login", views.login),
    path("logout", views.logout),
    path("password", views.password),
    path("session", views.session),
    path("control/<str:name>", control.call),
]
