"""A Django application that hands out links: downloads that hold for ten minutes, password resets that work once.

It makes its tokens with `django.core.signing`, as it always has, and knows nothing of who checks them. The gateway in front of
it does, and tells in `Countersign-Value-*` what was signed; the application has no code for expired, forged or used links.

    python3 app.py --port 8000

`/links` is for the application itself: what it would mail. No route of the gateway leads there.
"""

import argparse
import html
import json
from urllib.parse import unquote, urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

SECRET_KEY = "the secret key of a Django application"

settings.configure(
    SECRET_KEY=SECRET_KEY, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True,
    # The token in the link is what keeps others from sending the form.
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()

from django.core import signing  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, HttpResponseNotFound, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

FILES = {"report.txt": "Anne's report\n", "salaries.txt": "nobody's business\n"}
PASSWORDS = {"7": "old password"}
RESETS = []


def links(request):
    """What the application would mail to a user."""
    download = signing.dumps({"file": request.GET.get("file", "report.txt"), "user": 7}, salt="downloads")
    reset = signing.TimestampSigner(salt="reset").sign("7")
    return JsonResponse({
        "download": "/download/?" + urlencode({"token": download}),
        "reset": "/reset/?" + urlencode({"token": reset}),
    })


def download(request):
    """The file that the gateway found in the link."""
    name = unquote(request.headers.get("Countersign-Value-File", ""))
    if name not in FILES:
        return HttpResponseNotFound("no such file\n")
    return HttpResponse(FILES[name], content_type="text/plain")


def reset(request):
    """The form; and, once, its effect, for the user that the gateway found in the link."""
    user = unquote(request.headers.get("Countersign-Value-Text", ""))
    if request.method == "GET":
        return HttpResponse(f"<form method=post>A new password for user {html.escape(user)}: <input name=password></form>\n")
    PASSWORDS[user] = request.POST["password"]
    RESETS.append(user)
    return HttpResponse(f"The password of user {user} is another now, for the {len(RESETS)}. time.\n", content_type="text/plain")


urlpatterns = [path("links", links), path("download/", download), path("reset/", reset)]


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *_):
        """Nothing."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    server = make_server("127.0.0.1", parser.parse_args().port, get_wsgi_application(), handler_class=Quiet)
    print(json.dumps({"listening": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()
