"""The wheel alone is enough: built, installed into an empty environment, used there with an empty home."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "commonwatt"
KINDS = {".py", ".html", ".typ", ".sql", ".po", ".js", ".css", ".svg", ".woff2", ".json", ".md", ".xml", ".txt"}
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


def uv():
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("uv is not here; make setup installs it")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the locked packages and the wheel; returns how to run its `commonwatt`."""
    folder = tmp_path_factory.mktemp("empty")
    environment, home = folder / "environment", folder / "home"
    home.mkdir()
    subprocess.run([uv(), "venv", "--quiet", "--python", sys.executable, str(environment)], check=True, timeout=120)
    python = str(environment / "bin" / "python")
    install = [uv(), "pip", "install", "--quiet", "--python", python]
    locked = ["--require-hashes", "--no-deps", "--requirement", str(ROOT / "locks" / "run.txt")]
    subprocess.run([*install, *locked], check=True, timeout=600)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True, timeout=120)
    clean = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}

    def run(*words, timeout=60):
        command = [str(environment / "bin" / "commonwatt"), *words]
        return subprocess.run(
            command, cwd=home, env=clean, capture_output=True, text=True, timeout=timeout, check=False
        )

    run.uv = [uv(), "pip", "check", "--python", python]
    return run


def test_the_wheel_holds_everything_that_the_code_reads(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        f"commonwatt/{path.relative_to(SOURCE)}"
        for path in SOURCE.rglob("*")
        if path.is_file() and path.suffix in KINDS and "__pycache__" not in path.parts
    }
    assert wanted - inside == set()
    assert {
        f"commonwatt/kit/web/problem_pages/{page.name}" for page in (ROOT / "docs" / "problems").glob("*.md")
    } <= inside
    assert any(re.search(r"static/built/owner-\w+\.js$", name) for name in inside), "make web builds the browser side"
    assert not any("node_modules" in name or name.startswith(("tests/", "sim/", "bench/")) for name in inside)
    assert wheel.stat().st_size < 8_000_000


def test_what_it_needs_is_what_is_locked(installed):
    checked = subprocess.run(installed.uv, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stderr


def test_it_tells_its_version(installed):
    told = installed("--version")
    assert told.returncode == 0, told.stderr
    assert re.fullmatch(r"commonwatt, version \d+\.\d+\.\d+\n", told.stdout)


def test_it_explains_its_settings(installed):
    told = installed("config", "explain")
    assert told.returncode == 0, told.stderr
    assert "stations" in told.stdout
    assert "base_url" in told.stdout


def test_one_whole_paid_session_is_told(installed):
    told = installed("demo", "--walk", timeout=180)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "The books balance" in told.stdout
    assert "Debits less credits: 0 msat" in told.stdout
