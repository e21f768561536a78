"""Puts djedge.wasm into what is built: from the repository, or from where an sdist has it, compared with its digest."""

import gzip
import hashlib
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = ("djedge.wasm.gz", "djedge.wasm.sha256")


class Module(BuildHookInterface):
    def initialize(self, version, build_data):
        root = Path(self.root)
        if version == "editable":  # which finds it in the repository
            return
        packaged = root / "src" / "djedge"
        where = packaged if (packaged / FILES[0]).exists() else root.parents[1] / "build" / "modules"
        want = (where / FILES[1]).read_text().split()[0]
        found = hashlib.sha256(gzip.decompress((where / FILES[0]).read_bytes())).hexdigest()
        if found != want:
            raise RuntimeError(f"djedge.wasm has digest {found}, its file says {want}: build it again")
        if where == packaged and self.target_name == "sdist":
            return
        inside = "src/djedge" if self.target_name == "sdist" else "djedge"
        for name in FILES:
            build_data["force_include"][str(where / name)] = f"{inside}/{name}"
