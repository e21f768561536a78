# The conformance kit's adapter for workerd: the module is djedge.wasm in the directory given by --import-path.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "conformance/workerd.mjs", esModule = embed "workerd.mjs"),
    (name = "conformance/fetch.mjs", esModule = embed "fetch.mjs"),
    (name = "conformance/handler.mjs", esModule = embed "handler.mjs"),
    (name = "src/instance.js", esModule = embed "../src/instance.js"),
    (name = "src/wasi.js", esModule = embed "../src/wasi.js"),
    (name = "src/codec.js", esModule = embed "../src/codec.js"),
    (name = "djedge.wasm", wasm = embed "/djedge.wasm"),
  ],
);
