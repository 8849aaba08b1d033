"""Bearer tokens: three-part and opaque to the client, signed, and good until they expire (PUB §1); or, in
generations without them, user and password in each request (CFG §1).

Nothing is stored: a token outlives a restart as long as the credentials stay the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from reconciler.emulator.instance import Instance
from reconciler.emulator.settings import Credentials

_HEADER = b'{"alg":"HS256","typ":"JWT"}'


def issue(instance: Instance, client_id: str) -> str:
    now = instance.settings.clock()
    # The id keeps two tokens of one second apart.
    claims = {
        "sub": client_id,
        "iat": now,
        "exp": now + instance.settings.token_ttl,
        "jti": instance.new_id(),
        "gen": instance.run.token_generation,
    }
    signed = f"{_encode(_HEADER)}.{_encode(json.dumps(claims).encode())}"
    return f"{signed}.{_signature(instance.settings.auth, signed)}"


def accepts(credentials: Credentials, client_id: str, client_secret: str) -> bool:
    return hmac.compare_digest(
        f"{credentials.client_id}\n{credentials.client_secret}".encode(),
        f"{client_id}\n{client_secret}".encode(),
    )


def admits(instance: Instance, authorization: str) -> bool:
    """Whether a request with this Authorization header is answered; any is where auth is off."""
    credentials = instance.settings.auth
    if credentials is None:
        return True
    if not instance.generation.tokens:
        return _is_password(credentials, authorization)
    return _is_valid(instance, authorization)


def _is_password(credentials: Credentials, authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    expected = base64.b64encode(f"{credentials.client_id}:{credentials.client_secret}".encode())
    return scheme.lower() == "basic" and hmac.compare_digest(encoded.strip().encode(), expected)


def _is_valid(instance: Instance, authorization: str) -> bool:
    scheme, _, token = authorization.partition(" ")
    signed, _, signature = token.strip().rpartition(".")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        signature.encode(), _signature(instance.settings.auth, signed).encode()
    ):
        return False
    claims = json.loads(_decode(signed.rpartition(".")[2]))
    current = int(claims["gen"]) >= instance.run.token_generation
    return current and float(claims["exp"]) > instance.settings.clock()


def _signature(credentials: Credentials | None, signed: str) -> str:
    key = credentials.client_secret if credentials else ""
    return _encode(hmac.digest(key.encode(), signed.encode(), hashlib.sha256))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
