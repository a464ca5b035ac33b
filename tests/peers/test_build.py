"""The builder's own rules: nothing half built is ever found, foreign content is refused, names are checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.peers import build

from commonwatt.adapters.payment.lnd import binaries


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COMMONWATT_PEERS", str(tmp_path / "peers"))
    return tmp_path / "peers"


def test_a_build_that_fails_leaves_nothing_to_be_found(cache):
    with pytest.raises(RuntimeError), build.fresh(binaries.home_of("lnd")) as draft:  # noqa: PT012 (fails inside)
        (draft / "lnd").write_text("half")
        raise RuntimeError
    assert list(cache.iterdir()) == []
    assert binaries.missing() == ["lnd", "btcd"]
    with pytest.raises(binaries.PeerMissing, match="make peers"):
        binaries.find("lnd")


def test_what_was_built_is_found_by_version_and_kept_by_a_second_builder(cache):
    for text in ("first", "second"):
        with build.fresh(binaries.home_of("btcd")) as draft:
            (draft / "btcd").write_text(text)
            (draft / "btcd").chmod(0o755)
    assert binaries.find("btcd").read_text() == "first"
    assert binaries.find("btcd").parent.name == f"btcd-{binaries.BTCD_VERSION}"
    assert [path.name for path in cache.iterdir()] == [f"btcd-{binaries.BTCD_VERSION}"]


def test_content_with_another_sum_is_not_built(monkeypatch):
    monkeypatch.setattr(build, "run", lambda *_, **__: '{"Sum": "h1:other=", "Dir": "/nowhere"}')
    with pytest.raises(SystemExit, match="refusing"):
        build.download(Path("go"), f"github.com/btcsuite/btcd@{binaries.BTCD_VERSION}")


def test_an_unknown_peer_is_named():
    with pytest.raises(SystemExit, match="nwc"):
        build.main(["lnd", "nwc"])


@pytest.mark.parametrize(
    ("says", "version"),
    [("go version go1.26.6 linux/amd64", (1, 26, 6)), ("go version go1.27 x", (1, 27, 0)), ("nothing", (0,))],
)
def test_a_compilers_version_is_read(tmp_path, says, version):
    fake = tmp_path / "go"
    fake.write_text(f"#!/bin/sh\necho '{says}'\n")
    fake.chmod(0o755)
    assert build.version_of(fake) == version
    assert build.version_of(tmp_path / "absent") == (0,)


def test_an_old_compiler_is_passed_over_for_the_one_in_the_cache(cache, tmp_path, monkeypatch):
    old, new = tmp_path / "bin" / "go", cache / f"go-{build.GO_VERSION}" / "go" / "bin" / "go"
    for path, version in ((old, "1.19.8"), (new, build.GO_VERSION)):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setattr(build, "OTHER_GOS", ())
    assert build.find_go() == new


def test_a_failing_step_ends_the_build_with_its_last_words():
    with pytest.raises(SystemExit, match="out of paper"):
        build.run("sh", "-c", "echo out of paper >&2; exit 3")
