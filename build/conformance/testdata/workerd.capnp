using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "worker.mjs", esModule = embed "workerd.mjs"),
    (name = "handler.mjs", esModule = embed "handler.mjs"),
    (name = "wasi.mjs", esModule = embed "wasi.mjs"),
    (name = "djedge.wasm", wasm = embed "/djedge.wasm"),
  ],
);
