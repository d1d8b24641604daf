"""Who signs tokens, and publishes the keys that check them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://login.example.com"


class Issuer:
    """Signs tokens, and publishes the keys that check them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "jwks.json"
        self._keys: dict[str, Any] = {}

    def rotate(self, name: str) -> None:
        self._keys = {name: ec.generate_private_key(ec.SECP256R1())}
        algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
        published = [
            {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": "ES256", "use": "sig"}
            for kid, key in self._keys.items()
        ]
        self.path.write_text(json.dumps({"keys": published}))

    def token(self, **claims: Any) -> str:
        (kid,) = self._keys
        told = {
            "iss": ISSUER,
            "aud": "connectory",
            "sub": "anna",
            "exp": time.time() + 60,
            "scope": "trivial:*",
            **claims,
        }
        kept = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(kept, self._keys[kid], algorithm="ES256", headers={"kid": kid})

    @contextmanager
    def published(self, asked: Callable[[], object] = lambda: None) -> Iterator[str]:
        """The URL of the keys, while this is entered; `asked` is called before each answer."""
        path = self.path

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(path.read_bytes())

            def log_message(self, *_: Any) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
            Thread(target=http.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{http.server_port}/"
            http.shutdown()
