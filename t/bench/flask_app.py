"""An application with dynamodb-session-flask, for benchmarks: GET /page.html reads the session and answers with a page
of 1 KB; with ?write it stores one. BENCH_ENDPOINT is the table's, BENCH_DATA a file with the data of a session."""

import os
import time
import urllib.parse

from dynamodb_session_flask import DynamoDbSession
from flask import Flask, request, session

PAGE = "x" * 1024
with open(os.environ["BENCH_DATA"], encoding="ascii") as f:
    DATA = urllib.parse.parse_qsl(f.read().strip())

app = Flask(__name__)
app.session_interface = DynamoDbSession()
app.config.update(SESSION_DYNAMODB_TABLE_NAME="app_session", SESSION_DYNAMODB_ENDPOINT_URL=os.environ["BENCH_ENDPOINT"])


@app.get("/page.html")
def page():
    if "write" in request.args:
        session.update(DATA)
        session["t"] = time.time()  # also marks the session as modified
    seen = {"X-Seen": "yes"} if session.get("user") == "alice" else {}
    return PAGE, seen
