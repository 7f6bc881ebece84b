"""A server that answers what it was asked."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    """Answers with what it got. The path says how: /status/401, /redirect, anything else is 200."""

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        told = self.server.answers.get(self.path.partition("?")[0])
        status, content = told or (200, {"path": self.path, "headers": dict(self.headers), "body": body})
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Echo", self.headers.get("X-Api-Key", ""))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def echoing():
    """`.url`, `.seen` (method, path, headers, body) and `.answers` by path: (status, content)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.seen, server.answers = [], {}
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
