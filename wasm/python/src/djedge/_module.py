"""djedge.wasm, checked and compiled: once a process, and kept on disk as machine code between processes."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import platform
import stat
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

import wasmtime

from .errors import ConfigurationError

log = logging.getLogger("djedge")

HERE = Path(__file__).resolve().parent
MAX_BYTES = 64 << 20  # of what is inflated


def _directory() -> Path:
    """Where the module is: beside this file, or where a checkout of the repository keeps it."""
    if not (HERE / "djedge.wasm.gz").exists() and HERE.parts[-4:] == ("wasm", "python", "src", "djedge"):
        return HERE.parents[3] / "build" / "modules"
    return HERE


def read(path: str | os.PathLike[str] | None = None) -> tuple[bytes, str]:
    """The module and its SHA-256 in hexadecimal. One that is not what its digest says is refused; path is another one, uncompressed."""
    if path is not None:
        wasm = Path(path).read_bytes()
        return wasm, hashlib.sha256(wasm).hexdigest()
    where = _directory()
    try:
        want = (where / "djedge.wasm.sha256").read_text().split()[0]
        with gzip.open(where / "djedge.wasm.gz") as f:
            wasm = f.read(MAX_BYTES)
    except (OSError, IndexError) as e:
        raise ConfigurationError(f"djedge.wasm cannot be read: {e}") from e
    digest = hashlib.sha256(wasm).hexdigest()
    if digest != want:
        raise ConfigurationError(f"djedge.wasm has digest {digest}, its file says {want}: it was changed")
    return wasm, digest


class Module:
    """The compiled module, from which instances are made."""

    def __init__(self, path: str | os.PathLike[str] | None = None, cache_dir: str | os.PathLike[str] | bool | None = None):
        wasm, self.digest = read(path)
        config = wasmtime.Config()
        config.memory_reservation = 1 << 32  # of addresses, which saves bounds checks
        config.wasm_threads = False
        self.engine = wasmtime.Engine(config)
        self.linker = wasmtime.Linker(self.engine)
        self.linker.define_wasi()
        cache = None if cache_dir is False else _cache_file(self.digest, cache_dir)
        kept = _kept(self.engine, cache) if cache else None
        self.module = kept or wasmtime.Module(self.engine, wasm)
        if cache and not kept:
            _keep(cache, bytes(self.module.serialize()))
        for imported in self.module.imports:
            if imported.module != "wasi_snapshot_preview1":
                raise ConfigurationError(f"the module imports from {imported.module}: it is no djedge.wasm")


_modules: dict[tuple[str, str], Module] = {}
_loading = threading.Lock()


def load(path: str | os.PathLike[str] | None = None, cache_dir: str | os.PathLike[str] | bool | None = None) -> Module:
    """The module, which all backends of a process share. The first time takes seconds, with a cache some milliseconds."""
    key = (str(path), str(cache_dir))
    with _loading:
        if key not in _modules:
            _modules[key] = Module(path, cache_dir)
        return _modules[key]


def _cache_file(digest: str, cache_dir: str | os.PathLike[str] | bool | None) -> Path | None:
    """A file for the code of this module, runtime and kind of machine. None where there is no private directory: who may write there may run code here.

    The kernel's and the C library's releases are not in its name, so that what an
    image holds is found wherever that runs. What the processor can do is no part
    of it either: wasmtime looks at that itself.
    """
    if cache_dir is None or isinstance(cache_dir, bool):
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        if not os.path.isabs(base):
            return None
        directory = Path(base) / "djedge" / "python"
    else:
        directory = Path(cache_dir)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        log.info("compiled code is not kept: %s", e)
        return None
    if not _private(directory, directory.lstat(), stat.S_ISDIR):
        return None
    of = "\n".join((digest, version("wasmtime"), sys.platform, platform.machine()))
    return directory / (hashlib.sha256(of.encode()).hexdigest() + ".cwasm")


def _private(path: Path, s: os.stat_result, kind: object) -> bool:
    if os.name != "posix":
        return True
    if not callable(kind) or not kind(s.st_mode) or s.st_uid != os.getuid() or s.st_mode & 0o022:
        log.warning("compiled code is not kept in %s: others may write there", path)
        return False
    return True


def _cached(path: Path) -> bytes | None:
    """Code that was kept. It is run as it is, so that a file which is damaged is as none."""
    try:
        with open(path, "rb", opener=_nofollow) as f:
            if not _private(path, os.fstat(f.fileno()), stat.S_ISREG):
                return None
            digest, code = f.read(32), f.read()
    except OSError:
        return None
    return code if hashlib.sha256(code).digest() == digest else None


def _kept(engine: wasmtime.Engine, path: Path) -> wasmtime.Module | None:
    """What was kept, if wasmtime takes it: it refuses the code of a processor that can do more than this one, and what is no code."""
    code = _cached(path)
    if code is None:
        return None
    try:
        return wasmtime.Module.deserialize(engine, code)
    except wasmtime.WasmtimeError as e:
        log.info("compiled code in %s is made anew: %s", path, e)
        return None


def _nofollow(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _keep(path: Path, code: bytes) -> None:
    name = None
    try:
        fd, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner alone
        with os.fdopen(fd, "wb") as f:
            f.write(hashlib.sha256(code).digest())
            f.write(code)
        os.replace(name, path)
    except OSError as e:
        log.info("compiled code is not kept: %s", e)
        if name:
            Path(name).unlink(missing_ok=True)
