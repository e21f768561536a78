"""unpack_python.py JAR SHA256 DEST: check the jar of a CPython and unpack it. Jars carry no file modes: programs and libraries get theirs back."""
import hashlib
import os
import shutil
import sys
import zipfile

jar, want, dest = sys.argv[1:]
with open(jar, "rb") as f:
    got = hashlib.sha256(f.read()).hexdigest()
if got != want:
    sys.exit(f"{os.path.basename(jar)}: sha256 {got}, expected {want}")
prefix = "org/bytedeco/cpython/linux-x86_64/"
part = dest + ".part"
shutil.rmtree(part, ignore_errors=True)
with zipfile.ZipFile(jar) as z:
    for name in z.namelist():
        inside = name[len(prefix):]
        # The interpreter's own tests are half of it.
        if not name.startswith(prefix) or name.endswith("/") or "/test/" in inside:
            continue
        data = z.read(name)
        path = os.path.join(part, inside)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        if data.startswith(b"\x7fELF"):
            os.chmod(path, 0o755)
os.rename(part, dest)
