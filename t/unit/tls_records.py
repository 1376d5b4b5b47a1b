#!/usr/bin/python3
"""A TLS server that decides which bytes leave when: tls_records.py DIRECTORY, where ca.pem and key.pem are. It prints
ACCEPT:PORT and serves one connection at a time. By path: /ok a reply; /slow the same, a byte of its record each 20 ms;
/behind a reply that fills 4096 bytes exactly, with another reply behind it in the same record."""

import socket
import ssl
import sys
import time

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def behind():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    size = 4096 - len(head) - len(b"xxx\r\n\r\n0\r\n\r\n")
    chunk = b"%x\r\n" % size + b"y" * size + b"\r\n0\r\n\r\n"
    assert len(head + chunk) == 4096
    return head + chunk + HELLO.replace(b"200", b"299")


def step(tls, incoming, outgoing, connection, call):
    """Let call have what it needs from the client, and send what it makes."""
    while True:
        try:
            return call()
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            data = connection.recv(65536)
            if not data:
                raise ConnectionError from None
            incoming.write(data)


def serve(context, connection):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    step(tls, incoming, outgoing, connection, tls.do_handshake)
    connection.sendall(outgoing.read())
    while True:
        request = b""
        while b"\r\n\r\n" not in request:
            data = step(tls, incoming, outgoing, connection, lambda: tls.read(65536))
            if not data:
                return
            request += data
        path = request.split(b" ")[1]
        tls.write(behind() if path == b"/behind" else HELLO)
        record = outgoing.read()
        if path != b"/slow":
            connection.sendall(record)
            continue
        for byte in record:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1] + "/ca.pem", sys.argv[1] + "/key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    print("ACCEPT:%d" % listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            serve(context, connection)
        except (OSError, ssl.SSLError):
            pass
        connection.close()


if __name__ == "__main__":
    main()
