# What `go run ./build bench` measures djedge against, for install, which reads this file.
#
#   bench-kdf       a virtual environment with argon2-cffi and wasmtime
#   bench-django    Django 5.2 with gunicorn, uvicorn and a pool of connections
#   bench-seed      async-django-user and async-django-session with aiohttp, as their example uses them
#   oauth2-proxy    DIR/gobin/oauth2-proxy, built from the Go module proxy

install_bench-kdf() { venv bench-kdf bench-kdf; }
install_bench-django() { venv bench-django bench-django; }

# One package of the example is compiled; where this machine has no Python headers, Debian's are unpacked.
install_bench-seed() {
  local env=$dir/bench-seed headers
  cmp -s "$here/requirements/bench-ujson.txt" "$env/.compiled" && cmp -s "$here/requirements/bench-seed.txt" "$env/.installed" && return
  venv bench-seed bench-seed
  if ! "$env/bin/python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'; then
    debian python-headers libpython3.11-dev
    headers=$dir/python-headers/usr/include
    export CFLAGS="-I$headers/python3.11 -I$headers"
  fi
  "$env/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation --require-hashes \
    -r "$here/requirements/bench-ujson.txt"
  cp "$here/requirements/bench-ujson.txt" "$env/.compiled"
}

install_oauth2-proxy() {
  local module=$here/../tools/oauth2-proxy
  cmp -s "$module/go.sum" "$dir/gobin/.oauth2-proxy" && [ -x "$dir/gobin/oauth2-proxy" ] && return
  say "building oauth2-proxy"
  mkdir -p "$dir/gobin"
  go -C "$module" build -trimpath -ldflags='-s -w' -o "$dir/gobin/" tool
  cp "$module/go.sum" "$dir/gobin/.oauth2-proxy"
}
