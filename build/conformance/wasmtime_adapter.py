"""The conformance kit's adapter for wasmtime; see the package's doc.go."""

import http.server
import os
import socket
import struct
import sys
import threading

import wasmtime

NEW, CONFIGURE, BEGIN, RESUME, CANCEL, DROP = range(6)


class Instance:
    def __init__(self, engine, linker, module):
        self.lock = threading.Lock()
        self.store = wasmtime.Store(engine)
        self.store.set_wasi(wasmtime.WasiConfig())
        exports = linker.instantiate(self.store, module).exports(self.store)
        exports["_initialize"](self.store)
        self.memory = exports["memory"]
        self.alloc, self.free = exports["djedge_alloc"], exports["djedge_free"]
        self.calls = {CONFIGURE: exports["djedge_configure"], BEGIN: exports["djedge_begin"], RESUME: exports["djedge_resume"], CANCEL: exports["djedge_cancel"]}
        if exports["djedge_abi"](self.store) != 0:
            raise RuntimeError("another version of the ABI")
        packed = exports["djedge_buffer"](self.store)
        self.buffer, self.size = packed >> 32 & 0xFFFFFFFF, packed & 0xFFFFFFFF

    def call(self, call, handle, frame):
        with self.lock:
            if call == CANCEL:
                self.calls[CANCEL](self.store, handle)
                return b""
            at = self.buffer if len(frame) <= self.size else self.alloc(self.store, len(frame)) & 0xFFFFFFFF
            if at == 0:
                raise RuntimeError("the module gave no buffer")
            self.memory.write(self.store, frame, at)
            first = (handle,) if call == RESUME else ()
            packed = self.calls[call](self.store, *first, at, len(frame))
            start, size = packed >> 32 & 0xFFFFFFFF, packed & 0xFFFFFFFF
            answer = bytes(self.memory.read(self.store, start, start + size))
            if at != self.buffer:
                self.free(self.store, at)
            return answer


class Adapter:
    def __init__(self, path):
        self.engine = wasmtime.Engine()
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()
        self.module = wasmtime.Module.from_file(self.engine, path)
        self.instances = {}

    def call(self, body):
        call, number, handle = struct.unpack_from("<BII", body)
        if call == NEW:
            self.instances[number] = Instance(self.engine, self.linker, self.module)
            return b""
        if call == DROP:
            self.instances.pop(number, None)
            return b""
        return self.instances[number].call(call, handle, body[9:])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, answer = 200, self.server.adapter.call(body)
        except Exception as e:  # a trap
            status, answer = 500, f"{type(e).__name__}: {e}".encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = socket.SOMAXCONN
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    server.adapter = Adapter(os.environ["DJEDGE_WASM"])
    print("listening", server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
