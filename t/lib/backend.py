#!/usr/bin/python3
"""A backend for the tests of proxying: backend.py PORT [SOCKET]. It hides nothing, and listens on a Unix socket too.

HTTP: answers with the request line and the headers as they came, one a line. The query string may ask for
  status=N    a status            header=N:V   a response header, may be repeated
  hint=N:V    a header of an interim response (103) ahead of the answer, may be repeated; long=BYTES one that is long
  trailer=N:V a trailer, may be repeated
WebSocket: the first message is the same text; whatever the client sends then comes back.
"""

import base64
import hashlib
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


class Backend(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        query = parse_qsl(urlsplit(self.path).query)
        raw = [self.requestline] + ['%s: %s' % header for header in self.headers._headers]
        text = ('\n'.join(raw) + '\n').encode('latin-1')
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        if self.headers.get('Upgrade', '').lower() == 'websocket':
            return self.websocket(text, query)
        self.send_hints(query)
        trailers = [value for name, value in query if name == 'trailer']
        self.send_response(int(dict(query).get('status', 200)))
        self.send_header('Content-Type', 'text/plain')
        self.send_header(*(('Transfer-Encoding', 'chunked') if trailers else ('Content-Length', str(len(text)))))
        self.send_extra(query)
        self.end_headers()
        if trailers:
            end = ''.join('%s: %s\r\n' % tuple(t.split(':', 1)) for t in trailers)
            self.wfile.write(b'%x\r\n%s\r\n0\r\n%s\r\n' % (len(text), text, end.encode()))
        elif self.command != 'HEAD':
            self.wfile.write(text)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer

    def send_hints(self, query):
        hints = [value.split(':', 1) for name, value in query if name == 'hint']
        if not hints:
            return
        self.send_response_only(103)
        self.send_header('Link', '</style.css>; rel=preload')
        for name, value in hints:
            self.send_header('X-Long', 'x' * int(dict(query).get('long', 0)))
            self.send_header(name, value)
        self.send_header('X-Last', 'of the hints')
        self.end_headers()
        self.wfile.flush()

    def send_extra(self, query):
        for name, value in query:
            if name == 'header':
                self.send_header(*value.split(':', 1))

    def websocket(self, text, query):
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.send_response(101)
        self.send_header('Upgrade', 'websocket')
        self.send_header('Connection', 'Upgrade')
        self.send_header('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.send_extra(query)
        self.end_headers()
        self.send_frame(1, text)
        while True:
            kind, payload = self.read_frame()
            if kind is None:
                break
            self.send_frame(kind, payload)
            if kind == 8:
                break
        self.close_connection = True

    def send_frame(self, kind, payload):
        size = bytes([len(payload)]) if len(payload) < 126 else b'\x7e' + len(payload).to_bytes(2, 'big')
        self.wfile.write(bytes([0x80 | kind]) + size + payload)

    def read_frame(self):
        head = self.rfile.read(2)
        if len(head) < 2:
            return None, b''
        size = head[1] & 127
        if size == 126:
            size = int.from_bytes(self.rfile.read(2), 'big')
        mask = self.rfile.read(4)
        return head[0] & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if len(sys.argv) > 2:
    Path(sys.argv[2]).unlink(missing_ok=True)
    threading.Thread(target=UnixServer(sys.argv[2], Backend).serve_forever, daemon=True).start()
Server(('127.0.0.1', int(sys.argv[1])), Backend).serve_forever()
