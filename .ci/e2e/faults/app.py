"""A replica that counts its work and misbehaves when it is told to.

app.py FOLDER serves /work/ID on $PORT: it appends ID to FOLDER/executed-NAME
and then answers with it, where NAME is $HOSTNAME. FOLDER/mood-NAME, where it
exists, says how it misbehaves: "silent" takes requests and never answers,
"failing" does the work and answers 500."""
import http.server
import os
import sys
import time

folder, name = sys.argv[1], os.environ["HOSTNAME"]
executed = os.open(f"{folder}/executed-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def mood():
    try:
        return open(f"{folder}/mood-{name}").read()
    except FileNotFoundError:
        return ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece, so that a kill cannot cut it in two

    def do_GET(self):
        how = mood()
        if how == "silent":
            time.sleep(3600)
        status, body = 200, b"ok"
        if self.path.startswith("/work/"):
            time.sleep(0.02)
            body = self.path.removeprefix("/work/").encode()
            os.write(executed, body + b"\n")
            status = 500 if how == "failing" else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
