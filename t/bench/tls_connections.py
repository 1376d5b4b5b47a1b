#!/usr/bin/python3
"""What a TLS connection costs, with each way to have CAs (tls_connections.c): resident memory while it idles, CPU time
while it is made. The CAs are the system's and one more, which signs the server of this program.

t/bench/tls_connections.py [BUNDLE]"""

import http.server
import os
import shlex
import ssl
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """The handshake in the connection's own thread."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, context):
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = context

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as tls:
            super().finish_request(tls, client_address)

    def handle_error(self, *args):
        pass


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True, **options).stdout


def build(program):
    flags = run("pkg-config", "--cflags", "--libs", "libcurl", "libcjson", "openssl", "zlib")
    flags += run("apr-1-config", "--cppflags", "--includes", "--link-ld", "--libs")
    flags += run("apu-1-config", "--includes", "--link-ld")
    base = os.path.join(TOP, "src", "base")
    sources = [os.path.join(base, f) for f in sorted(os.listdir(base)) if f.endswith(".c")]
    run("gcc", "-std=gnu99", "-O2", "-I" + os.path.join(TOP, "src"), "-o", program,
        os.path.join(HERE, "tls_connections.c"), *sources, *shlex.split(flags))


def main():
    bundle = sys.argv[1] if len(sys.argv) > 1 else ssl.get_default_verify_paths().cafile
    bundle = bundle or "/etc/ssl/certs/ca-certificates.crt"
    with tempfile.TemporaryDirectory() as d:
        key, cert, cas = (os.path.join(d, f) for f in ("key.pem", "cert.pem", "cas.pem"))
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert, stderr=subprocess.DEVNULL)
        with open(cas, "w", encoding="ascii", errors="replace") as out:
            for name in (bundle, cert):
                with open(name, encoding="utf-8", errors="replace") as f:
                    out.write(f.read())
        program = os.path.join(d, "tls_connections")
        build(program)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server = Server(context)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for way in "separate", "shared":
            print(way + ":")
            sys.stdout.flush()
            subprocess.run([program, cas, "https://127.0.0.1:%d/" % server.server_port, way], check=True)


main()
