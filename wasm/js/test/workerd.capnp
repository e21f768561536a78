# The suite in workerd; djedge.wasm and site.json are in the directory given by --import-path.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "bare", worker = (compatibilityDate = "2026-01-01", modules = .modules, bindings = .bindings)),
    (name = "node", worker = (compatibilityDate = "2026-01-01", compatibilityFlags = ["nodejs_compat"], modules = .modules, bindings = .bindings)),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "bare", http = (), service = "bare"), (name = "node", http = (), service = "node")],
);

const bindings :List(Workerd.Worker.Binding) = [(name = "DJEDGE_REMOTE", fromEnvironment = "DJEDGE_REMOTE")];

const modules :List(Workerd.Worker.Module) = [
  (name = "test/worker.js", esModule = embed "worker.js"),
  (name = "test/suite.js", esModule = embed "suite.js"),
  (name = "test/remote.js", esModule = embed "remote.js"),
  (name = "test/site.json", json = embed "/site.json"),
  (name = "src/index.workerd.js", esModule = embed "../src/index.workerd.js"),
  (name = "src/platform.workerd.js", esModule = embed "../src/platform.workerd.js"),
  (name = "src/auth.js", esModule = embed "../src/auth.js"),
  (name = "src/codec.js", esModule = embed "../src/codec.js"),
  (name = "src/d1.js", esModule = embed "../src/d1.js"),
  (name = "src/decision.js", esModule = embed "../src/decision.js"),
  (name = "src/effects.js", esModule = embed "../src/effects.js"),
  (name = "src/engine.js", esModule = embed "../src/engine.js"),
  (name = "src/hints.js", esModule = embed "../src/hints.js"),
  (name = "src/instance.js", esModule = embed "../src/instance.js"),
  (name = "src/kdf.js", esModule = embed "../src/kdf.js"),
  (name = "src/keys.js", esModule = embed "../src/keys.js"),
  (name = "src/lane.js", esModule = embed "../src/lane.js"),
  (name = "src/queue.js", esModule = embed "../src/queue.js"),
  (name = "src/reasons.js", esModule = embed "../src/reasons.js"),
  (name = "src/request.js", esModule = embed "../src/request.js"),
  (name = "src/session.js", esModule = embed "../src/session.js"),
  (name = "src/settings.js", esModule = embed "../src/settings.js"),
  (name = "src/wasi.js", esModule = embed "../src/wasi.js"),
  (name = "djedge.wasm", wasm = embed "/djedge.wasm"),
];
