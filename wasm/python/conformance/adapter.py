"""The conformance kit's adapter for wasmtime, over this package's own instances; build/conformance/doc.go describes the protocol."""

import http.server
import os
import pathlib
import signal
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "src"))

from djedge._instance import Instance
from djedge._module import Module

NEW, CONFIGURE, BEGIN, RESUME, CANCEL, DROP = range(6)
MEMORY, FUEL = 768 << 20, 1 << 62  # vectors hash as they like


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, answer = 200, call(self.server, *struct.unpack_from("<BII", body), body[9:])
        except Exception as e:  # a trap
            status, answer = 500, f"{type(e).__name__}: {e}".encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def call(server, call, number, handle, frame):
    instances = server.instances
    if call == NEW:
        instances[number] = Instance(server.module, memory=MEMORY, fuel=FUEL)
    elif call == DROP:
        instances.pop(number, None)
    elif call == CONFIGURE:
        return instances[number].configure(frame)
    elif call == BEGIN:
        return instances[number].begin(frame)
    elif call == RESUME:
        return instances[number].resume(handle, frame)
    elif call == CANCEL:
        instances[number].cancel(handle)
    return b""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = socket.SOMAXCONN
    daemon_threads = True


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = Server(("127.0.0.1", 0), Handler)
    server.module, server.instances = Module(os.environ.get("DJEDGE_WASM"), cache_dir=False), {}
    print("listening", server.server_port, flush=True)
    server.serve_forever()
