"""Which hosts and addresses are allowed."""

import pytest

from connectory.errors import PermissionDeniedError, SettingsError
from connectory.web import SETTING, HostPolicy

PUBLIC = "93.184.216.34"
INTERNAL = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


def test_without_a_setting_everything_is_allowed() -> None:
    policy = HostPolicy.from_environment({})

    policy.check("anything", 1)
    assert policy.reachable("anything", 1, INTERNAL) == INTERNAL
    assert not policy.is_restricted


@pytest.mark.parametrize(
    ("patterns", "host", "port", "allowed"),
    [
        ("api.example.com", "api.example.com", 443, True),
        ("api.example.com", "API.Example.com.", 443, True),
        ("api.example.com", "example.com", 443, False),
        ("api.example.com", "api.example.com.evil.net", 443, False),
        ("*.example.com", "a.b.example.com", 80, True),
        ("*.example.com", "example.com", 80, False),
        ("*.example.com", "evilexample.com", 80, False),
        ("*", "anything", 80, True),
        ("a.com:8443, b.com", "a.com", 8443, True),
        ("a.com:8443, b.com", "a.com", 443, False),
        ("a.com:8443, b.com", "b.com", 443, True),
        ("[2001:db8::1]:80", "2001:db8::1", 80, True),
        ("[2001:db8::1]:80", "2001:db8::1", 81, False),
        ("2001:db8::1", "2001:db8::1", 81, True),
    ],
)
def test_patterns(patterns: str, host: str, port: int, allowed: bool) -> None:
    policy = HostPolicy.from_environment({SETTING: patterns})

    if allowed:
        policy.check(host, port)
    else:
        with pytest.raises(PermissionDeniedError, match=SETTING) as caught:
            policy.check(host, port)
        assert caught.value.reason == "HOST_NOT_ALLOWED"


@pytest.mark.parametrize("address", INTERNAL)
def test_a_name_that_leads_inside_is_refused_unless_it_is_listed_in_full(address: str) -> None:
    with pytest.raises(PermissionDeniedError, match="internal address"):
        HostPolicy(["*"]).reachable("rebind.example.com", 80, [address])
    with pytest.raises(PermissionDeniedError, match="internal address"):
        HostPolicy(["*.example.com"]).reachable("rebind.example.com", 80, [address])
    with pytest.raises(PermissionDeniedError, match="internal address"):
        HostPolicy(["*", "rebind.example.com:81"]).reachable("rebind.example.com", 80, [address])

    assert HostPolicy(["rebind.example.com"]).reachable("rebind.example.com", 80, [address]) == [address]


def test_only_the_public_addresses_of_a_name_are_used() -> None:
    assert HostPolicy(["*"]).reachable("x.com", 80, ["10.0.0.1", PUBLIC, "::1"]) == [PUBLIC]


@pytest.mark.parametrize("pattern", ["http://a.com", "a.com/x", "a.com:port", "a.com:0", "a.com:99999", "[::1", ":80"])
def test_a_setting_that_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match=SETTING):
        HostPolicy([pattern])
