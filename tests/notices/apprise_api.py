"""What an Apprise API does with a notice, by Apprise itself: apprise_api.py KEY URL. Takes POST /notify/KEY on a port that it prints,
and sends on to URL. The fields are those of apprise-api's NotifyByUrlForm; a key that is unknown is 204, one whose addresses fail 424.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import apprise

key, url = sys.argv[1:]
kept = apprise.Apprise()
assert kept.add(url, tag="people"), "Apprise takes the address"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != f"/notify/{key}":
            return self.answer(204)
        if body["type"] not in apprise.NOTIFY_TYPES or body["format"] not in apprise.NOTIFY_FORMATS or not body["body"]:
            return self.answer(400)
        sent = kept.notify(body["body"], title=body["title"], notify_type=body["type"], body_format=body["format"],
                           tag=body.get("tag", "all"))
        return self.answer(200 if sent else 424)

    def answer(self, status):
        text = b'{"error": null}' if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
