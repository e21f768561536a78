# worker.mjs, bundled into bundle.mjs, in workerd. The module's import is relative to src, as in the package.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "internet", network = (allow = ["private"]))],
  sockets = [(name = "http", http = (), service = "main")],
);

const main :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  compatibilityFlags = ["nodejs_compat"],
  modules = [
    (name = "src/worker.mjs", esModule = embed "bundle.mjs"),
    (name = "djedge.wasm", wasm = embed "node_modules/djedge/djedge.wasm"),
  ],
  bindings = [
    (name = "DJEDGE_DATABASE", fromEnvironment = "DJEDGE_DATABASE"),
    (name = "DJEDGE_SECRET_KEY", fromEnvironment = "DJEDGE_SECRET_KEY"),
    (name = "DJEDGE_SECRET_KEY_FALLBACKS", fromEnvironment = "DJEDGE_SECRET_KEY_FALLBACKS"),
    (name = "DJEDGE_DJANGO_VERSION", fromEnvironment = "DJEDGE_DJANGO_VERSION"),
    (name = "DJEDGE_ENGINE", fromEnvironment = "DJEDGE_ENGINE"),
    (name = "DJEDGE_TIMEOUT_MS", fromEnvironment = "DJEDGE_TIMEOUT_MS"),
  ],
);
