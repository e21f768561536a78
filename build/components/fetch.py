"""fetch.py URL SHA256 FILE: download a file, keeping it only when its hash is the expected one."""
import hashlib
import os
import sys
import urllib.request

url, want, out = sys.argv[1:]
part = out + ".part"
digest = hashlib.sha256()
try:
    with urllib.request.urlopen(url, timeout=120) as response, open(part, "wb") as f:
        while block := response.read(1 << 20):
            digest.update(block)
            f.write(block)
except OSError as error:
    sys.exit(f"{os.path.basename(out)}: {error}")
if digest.hexdigest() != want:
    os.unlink(part)
    sys.exit(f"{os.path.basename(out)}: sha256 {digest.hexdigest()}, expected {want}")
os.rename(part, out)
