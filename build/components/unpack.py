"""unpack.py JAR SHA256 DEST: check a jar's hash and unpack the .txz archive inside it (xz itself need not be installed)."""
import hashlib
import io
import os
import shutil
import sys
import tarfile
import zipfile

jar, want, dest = sys.argv[1:]
with open(jar, "rb") as f:
    got = hashlib.sha256(f.read()).hexdigest()
if got != want:
    sys.exit(f"{os.path.basename(jar)}: sha256 {got}, expected {want}")
part = dest + ".part"
shutil.rmtree(part, ignore_errors=True)
with zipfile.ZipFile(jar) as z:
    archive = next(name for name in z.namelist() if name.endswith(".txz"))
    with tarfile.open(fileobj=io.BytesIO(z.read(archive)), mode="r:xz") as t:
        t.extractall(part)
os.rename(part, dest)
