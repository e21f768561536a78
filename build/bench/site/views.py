"""What djedge's /api/me and /api/login answer, by Django's public API."""

import json

from django.contrib import auth
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

FIELDS = "id last_login is_superuser username first_name last_name email is_staff is_active date_joined".split()


def answer(user, session):
    shown = {name: getattr(user, name) for name in FIELDS} if user.is_authenticated else {}
    return JsonResponse({"user": shown, "session": dict(session)})


def me(request):
    return answer(request.user, request.session.items())


async def async_me(request):
    return answer(await request.auser(), await request.session.aitems())


@csrf_exempt
def login(request):
    user = auth.authenticate(request, **json.loads(request.body))
    if user is None:
        return JsonResponse({"message": "Bad username or password"}, status=400)
    auth.login(request, user)
    return JsonResponse({})
