"""unzip.py JAR SHA256 PREFIX DEST: check a jar's hash and unpack what is in one folder of it."""
import hashlib
import os
import shutil
import sys
import zipfile

jar, want, prefix, dest = sys.argv[1:]
with open(jar, "rb") as f:
    got = hashlib.file_digest(f, "sha256").hexdigest()
if got != want:
    sys.exit(f"{os.path.basename(jar)}: sha256 {got}, expected {want}")
part = dest + ".part"
shutil.rmtree(part, ignore_errors=True)
with zipfile.ZipFile(jar) as z:
    for name in z.namelist():
        if not name.startswith(prefix) or name.endswith("/"):
            continue
        path = os.path.join(part, name.removeprefix(prefix))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with z.open(name) as source, open(path, "wb") as f:
            start = source.read(4)
            f.write(start)
            shutil.copyfileobj(source, f, 1 << 20)
        # A jar keeps no mode.
        os.chmod(path, 0o755 if start == b"\x7fELF" or start[:2] == b"#!" else 0o644)
shutil.rmtree(dest, ignore_errors=True)
os.rename(part, dest)
