"""What a site does with sessions and users, through Django's public API and over JSON."""

import json

from django.contrib import auth
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


def whoami(request):
    """The user of this request, as Django sees it, and the session."""
    name = request.user.get_username() if request.user.is_authenticated else None
    return JsonResponse({"user": name, "session": dict(request.session.items())})


@csrf_exempt
@require_POST
def login(request):
    given = json.loads(request.body)
    user = auth.authenticate(request, username=given["username"], password=given["password"])
    if user is None:
        return JsonResponse({}, status=400)
    auth.login(request, user)
    return JsonResponse({})


@csrf_exempt
@require_POST
def logout(request):
    auth.logout(request)
    return JsonResponse({})


@csrf_exempt
@require_POST
def password(request):
    """Django's own password change: this session goes on, all others of the user end."""
    if not request.user.is_authenticated:
        return JsonResponse({}, status=400)
    request.user.set_password(json.loads(request.body)["password"])
    request.user.save()
    auth.update_session_auth_hash(request, request.user)
    return JsonResponse({})


@csrf_exempt
@require_POST
def session(request):
    """Store what the body says in the session."""
    for key, value in json.loads(request.body).items():
        request.session[key] = value
    return JsonResponse({})
