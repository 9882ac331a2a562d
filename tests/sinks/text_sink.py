#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A provider of text messages for tests: takes every POST on loopback and keeps it.

usage: text_sink.py --dir DIR --port PORT

A POST to any path, JSON or form, is answered 201 {"sid": "SM<number>"} and is one line of DIR/texts.jsonl:
{"number", "sid", "at", "path", "headers": {lower-case name: value}, "body": <text>, "fields": {...} or null, "did", "connection"}.
"did" is "kept" if the message counts as sent, else what was done with it.

The first parts of the path choose what happens, so that tests need no state; they may be combined, the rest is free:
  /status/<code>/...       answers that status instead (with Retry-After: 1 for 429 and 503); not sent
  /slow/<milliseconds>/... waits before it answers
  /drop/...                sent, but the connection breaks before the answer
  /cut/...                 not sent, the connection breaks before the answer
  /flaky/<n>/<key>/...     503 the first n times for this key, then as usual

GET /texts gives all lines as a JSON array, GET /count {"count": <sent>}, GET /health 200.
"""
import argparse
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_LIMIT = 1 << 20


class Outbox:
    """The folder and what was seen; shared by all connections."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "texts.jsonl")
        self.lock = threading.Lock()
        self.number = len(self.rows())
        self.flaky = {}
        self.connections = itertools.count(1)

    def rows(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def append(self, row):
        with self.lock:
            self.number += 1
            row = {"number": self.number, "sid": f"SM{self.number:032d}", "at": time.time(), **row}
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            return row["sid"]

    def flaky_again(self, key, times):
        with self.lock:
            self.flaky[key] = self.flaky.get(key, 0) + 1
            return self.flaky[key] <= times


def fields_of(kind, body):
    try:
        if kind.startswith("application/json"):
            return json.loads(body)
        if kind.startswith("application/x-www-form-urlencoded"):
            return dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
    except ValueError:
        pass
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    outbox = None

    def setup(self):
        super().setup()
        self.number = next(self.outbox.connections)

    def answer(self, status, value, **headers):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def break_off(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def do_GET(self):
        if self.path == "/texts":
            self.answer(200, self.outbox.rows())
        elif self.path == "/count":
            self.answer(200, {"count": sum(row["did"] in ("kept", "drop") for row in self.outbox.rows())})
        elif self.path == "/health":
            self.answer(200, {})
        else:
            self.answer(404, {"error": "no such page"})

    def plan(self):
        """(what to do, status, seconds to wait) from the path."""
        parts = iter(urllib.parse.urlsplit(self.path).path.strip("/").split("/"))
        did, status, wait = "kept", 201, 0.0
        for part in parts:
            if part == "status":
                status = int(next(parts))
                did = f"status {status}" if status >= 300 else did
            elif part == "slow":
                wait = int(next(parts)) / 1000
            elif part in ("drop", "cut"):
                did = part
            elif part == "flaky":
                times, key = int(next(parts)), next(parts)
                if self.outbox.flaky_again(key, times):
                    did, status = "status 503", 503
            else:
                break
        return did, status, wait

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > BODY_LIMIT:
            self.close_connection = True
            return self.answer(413, {"error": "too large"})
        data = self.rfile.read(length)
        if len(data) < length:  # the client went away in the middle: no provider would send that
            self.close_connection = True
            return None
        body = data.decode("utf-8", "replace")
        try:
            did, status, wait = self.plan()
        except (ValueError, StopIteration):
            return self.answer(400, {"error": "the path asks for something unknown"})
        time.sleep(wait)
        sid = self.outbox.append({
            "path": self.path, "headers": {name.lower(): value for name, value in self.headers.items()}, "body": body,
            "fields": fields_of(self.headers.get("Content-Type", ""), body), "did": did, "connection": self.number,
        })
        if did in ("drop", "cut"):
            return self.break_off()
        if status in (429, 503):
            return self.answer(status, {"error": "busy"}, Retry_After="1")
        return self.answer(status, {"sid": sid} if status < 300 else {"error": f"status {status}"})

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    Handler.outbox = Outbox(options.dir)
    server = Server(("127.0.0.1", options.port), Handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"text sink on port {options.port}, texts in {options.dir}", flush=True)
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
