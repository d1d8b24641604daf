"""Certificates for tests: a CA, a server and a client, made by the `openssl` command."""

import subprocess
from pathlib import Path

__all__ = ["Authority"]


class Authority:
    """A certificate authority in a folder; it issues certificates for 127.0.0.1."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self.key, self.cert = folder / f"{name}.key", folder / f"{name}.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert,
        )  # fmt: skip

    def issue(self, name: str) -> tuple[Path, Path]:
        """A key and a certificate for `name`, as files; issuing again replaces them."""
        key, request, cert, names = (self._folder / f"{name}.{end}" for end in ("key", "csr", "pem", "ext"))
        names.write_text("subjectAltName=IP:127.0.0.1\n")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request,
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
            "-extfile", names, "-out", cert,
        )  # fmt: skip
        return key, cert

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
