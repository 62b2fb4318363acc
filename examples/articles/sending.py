"""Sends a signed request and shows what came back: what the three clients share, and nothing about signing."""

import sys
import urllib.error
import urllib.request


def send(request: urllib.request.Request, times: int) -> int:
    """Sends the same bytes `times` times and prints each status and body.

    The exit status is countersign's own: 0 when every answer was a success, 1 when one was not, 2 when
    there was none.
    """
    refused = False
    for _ in range(times):
        try:
            status, reason, body = exchange(request)
        except OSError as error:
            print(f"error: {request.full_url}: {error}", file=sys.stderr)
            print("hint: is the gateway running?", file=sys.stderr)
            return 2
        print(f"{status} {reason}")
        print(body.decode("utf-8", "replace").rstrip("\n"))
        refused = refused or status >= 300
    return 1 if refused else 0


def exchange(request: urllib.request.Request) -> tuple[int, str, bytes]:
    """One request on a connection of its own. A refusal is an answer like any other."""
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.reason, response.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.reason, refusal.read()
