"""Receive what alerts post, as Slack's incoming webhooks do."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """A local HTTP server, while its `with` block lasts.

    status  what it answers, 200 or another; may be changed in between
    posts   the bodies that came, whatever was answered: JSON decoded, other text as it was
    """

    def __init__(self, status=200):
        self.status = status
        self.posts = []

    def __enter__(self):
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                webhook.posts.append(_decoded(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
                answer = b"ok" if webhook.status == 200 else b"no_service"
                self.send_response(webhook.status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                """Nothing: the test sees the posts."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self):
        """Secret, as a webhook's address is: what it ends with must not be seen in any log."""
        return f"http://127.0.0.1:{self._server.server_port}/services/T0/B0/not-to-be-seen"


def _decoded(body):
    text = body.decode("utf-8")
    try:
        return json.loads(text)
    except ValueError:
        return text
