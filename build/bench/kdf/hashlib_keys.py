"""Keys by the libraries that Django uses; see build/bench/kdfguest for the lines."""

import hashlib
import sys

from argon2.low_level import Type, hash_secret_raw

for line in sys.stdin:
    function, iterations, memory, parallelism, n, r, password, salt = line.split()
    iterations, memory, parallelism, n, r = map(int, (iterations, memory, parallelism, n, r))
    password, salt = password.encode(), salt.encode()
    if function.startswith("pbkdf2_"):
        key = hashlib.pbkdf2_hmac(function.removeprefix("pbkdf2_"), password, salt, iterations)
    elif function == "argon2id":
        key = hash_secret_raw(password, salt, iterations, memory, parallelism, 32, Type.ID)
    else:
        key = hashlib.scrypt(password, salt=salt, n=n, r=r, p=parallelism, maxmem=1 << 30, dklen=64)
    print(key.hex(), flush=True)
