from django.urls import path

import views

urlpatterns = [path("api/me", views.me), path("async/me", views.async_me), path("api/login", views.login)]
