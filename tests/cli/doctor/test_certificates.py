"""Certificates that callers would refuse are found before callers do."""

import subprocess
from pathlib import Path

import pytest

from connectory_cli.doctor.certificates import certificates
from tests.cli.doctor.patients import messages, patient, told
from tests.connector_server.certificates import Authority


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server(key: Path, cert: Path, **more: Path) -> dict[str, object]:
    return {"tls_key": key, "tls_cert": cert, **more}


def test_a_good_certificate_is_told_with_its_names_and_its_end(tmp_path: Path, authority: Authority) -> None:
    settings = server(*authority.issue("server"), tls_client_ca=authority.cert)
    found = told(
        certificates, patient(tmp_path, settings=settings, environ={"CONNECTORY_CLIENT_CA": str(authority.cert)})
    )
    assert {one.level for one in found} == {"ok"}
    said = messages(found, "ok")
    assert any("callers may use the names 127.0.0.1" in message for message in said)
    assert any("(commonName=server) is good until 20" in message for message in said)
    assert any("the authority (commonName=ca) is good until 20" in message for message in said)


def test_a_key_of_another_certificate(tmp_path: Path, authority: Authority) -> None:
    _, cert = authority.issue("server")
    key, _ = authority.issue("other")
    (said,) = messages(told(certificates, patient(tmp_path, settings=server(key, cert))), "fail")
    assert "key values mismatch" in said


def test_a_certificate_that_our_callers_do_not_trust(tmp_path: Path, authority: Authority) -> None:
    stranger = Authority(tmp_path, "stranger")
    settings = server(*authority.issue("server"))
    found = told(
        certificates, patient(tmp_path, settings=settings, environ={"CONNECTORY_CLIENT_CA": str(stranger.cert)})
    )
    (said,) = messages(found, "fail")
    assert f"callers who trust {stranger.cert} refuse it" in said


def test_a_chain_whose_parts_do_not_belong_together(tmp_path: Path, authority: Authority) -> None:
    key, cert = authority.issue("server")
    cert.write_text(cert.read_text() + authority.cert.read_text())
    assert messages(told(certificates, patient(tmp_path, settings=server(key, cert))), "fail") == []
    cert.write_text(cert.read_text() + Authority(tmp_path, "stranger").cert.read_text())
    (said,) = messages(told(certificates, patient(tmp_path, settings=server(key, cert))), "fail")
    assert "cannot be used together" in said


def test_certificates_that_have_expired_or_soon_will(tmp_path: Path) -> None:
    for name, dates in (
        ("old", ("20200101000000Z", "20200201000000Z")),
        ("future", ("20900101000000Z", "20900201000000Z")),
    ):
        key, cert = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        make_with_dates(tmp_path, key, cert, *dates)
        (said,) = messages(told(certificates, patient(tmp_path, settings=server(key, cert))), "fail")
        assert ("has expired: 2020-02-01" if name == "old" else "good only from 2090-01-01") in said


def make_with_dates(folder: Path, key: Path, cert: Path, begins: str, ends: str) -> None:
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n"
        "[x]\nsubjectAltName=DNS:localhost\nbasicConstraints=CA:TRUE\n"
    )
    request = folder / "request"
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=dated",
        "-keyout", key, "-out", request,
    )  # fmt: skip
    openssl(
        "ca", "-batch", "-config", folder / "ca.cnf", "-selfsign", "-keyfile", key, "-in", request, "-notext",
        "-startdate", begins, "-enddate", ends, "-out", cert,
    )  # fmt: skip


def test_a_certificate_without_names_is_a_warning(tmp_path: Path) -> None:
    nameless = Authority(tmp_path)
    found = told(certificates, patient(tmp_path, settings=server(nameless.key, nameless.cert)))
    assert messages(found, "warn") == ["tls_cert: it names no host in subjectAltName, so clients refuse it"]


def test_files_that_hold_no_certificates(tmp_path: Path, authority: Authority) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    key, cert = authority.issue("server")
    found = told(certificates, patient(tmp_path, settings=server(key, empty, tls_client_ca=empty)))
    assert [one.about for one in found if one.level == "fail"] == ["tls_cert", "tls_client_ca"]
    found = told(certificates, patient(tmp_path, settings=server(key, cert, tls_client_ca=cert)))
    assert any("no certificate of an authority" in message for message in messages(found, "warn"))
