"""A practice Lightning network on this machine: a chain that mines on command, two lnd nodes, one channel.

For `commonwatt demo --lnd` and for tests: real payments with coins that are worth nothing (Bitcoin's regtest). The
`shop` is the node that Commonwatt uses, the `driver` is somebody's wallet; both have money on their side of the
channel, so payments and refunds both flow. Everything listens on free loopback ports. Calls here block; run them in a
thread from async code. Order matters: nodes stop before their chain, for an lnd without it takes 40 s to give up.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from commonwatt.adapters.payment.lnd.binaries import find
from commonwatt.adapters.payment.lnd.config import LndConfig
from commonwatt.kernel import Unavailable

CHANNEL_SAT = 10_000_000
PUSHED_SAT = 4_000_000
"""What the shop's side of the channel starts with."""
_PATIENCE_S = 60.0
PORTS = range(20_000, 32_000)
"""Below those that systems give to whoever asks for any port: Linux from 32,768 on (`ip_local_port_range`)."""


class PracticeNetworkDown(Unavailable):
    """A program of the practice network did not do what it should in time."""

    slug = "practice-network-down"
    title = "The practice Lightning network does not run"


class Program:
    """One child process with its log; started, killed and started again on the same ports and data."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self, *more: str) -> None:
        """Start the child in a process group of its own, so that Ctrl-C at a terminal does not reach it first."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 (our own command line, no shell)
                [*self.command, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """End the child as a power failure would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the child to stop, and end it if it has not after 15 seconds."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(errors="replace")[-800:] if self.log.exists() else ""


class Node(Program):
    """One lnd of the practice network."""

    def __init__(self, name: str, home: Path, chain: list[str]) -> None:
        self.home = home
        self.peer_port, self.rpc_port, self.rest_port = free_ports(3)
        command: list[str | Path] = [
            find("lnd"),
            f"--lnddir={home}",
            f"--alias={name}",
            *chain,
            f"--listen=127.0.0.1:{self.peer_port}",
            f"--rpclisten=127.0.0.1:{self.rpc_port}",
            f"--restlisten=127.0.0.1:{self.rest_port}",
            "--bitcoin.regtest",
            "--bitcoin.node=btcd",
            "--noseedbackup",
            "--nobootstrap",
            "--trickledelay=50",
        ]
        super().__init__(name, command, home.parent / f"{name}.log")

    @property
    def rest_url(self) -> str:
        """The REST address, `https://127.0.0.1:port`."""
        return f"https://127.0.0.1:{self.rest_port}"

    @property
    def tls_cert_path(self) -> Path:
        """The node's own certificate."""
        return self.home / "tls.cert"

    @property
    def macaroon_path(self) -> Path:
        """The macaroon that may do everything."""
        return self.home / "data" / "chain" / "bitcoin" / "regtest" / "admin.macaroon"

    def config(self) -> LndConfig:
        """Return what a rail needs to reach this node."""
        return LndConfig.from_files(self.rest_url, self.macaroon_path, self.tls_cert_path)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask the node over REST; raises OSError while it is down and PracticeNetworkDown for a refusal."""
        context = ssl.create_default_context(cafile=str(self.tls_cert_path))
        link = http.client.HTTPSConnection("127.0.0.1", self.rest_port, timeout=40, context=context)
        headers = {"Grpc-Metadata-macaroon": self.macaroon_path.read_bytes().hex()}
        return _ask(link, method, path, body, headers=headers, who=self.name)

    def unlocked(self) -> bool:
        """Tell whether the node's wallet is open and its interface answers."""
        return self.call("GET", "/v1/state")["state"] in {"RPC_ACTIVE", "SERVER_ACTIVE"}

    def serves(self) -> bool:
        """Tell whether the node answers, knows the chain's tip and accepts payments."""
        answer = self.call("GET", "/v1/state")
        return answer["state"] == "SERVER_ACTIVE" and bool(self.call("GET", "/v1/getinfo")["synced_to_chain"])

    def has_channel(self) -> bool:
        """Tell whether the channel is usable: active, and its edge known to path finding (which comes later)."""
        channels = self.call("GET", "/v1/channels?active_only=true").get("channels", [])
        if not channels:
            return False
        edges = self.call("GET", "/v1/graph?include_unannounced=true").get("edges", [])
        return any(edge["node1_policy"] and edge["node2_policy"] for edge in edges)

    @property
    def pubkey(self) -> str:
        """The node's identity, in hexadecimal."""
        return str(self.call("GET", "/v1/getinfo")["identity_pubkey"])


class LightningNetwork:
    """The whole network as a context manager: `with LightningNetwork() as network: network.shop.config()`.

    With a directory, chain, nodes and channel are kept there and go on next time; without one they are temporary.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="commonwatt-lnd-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self._pids = self.directory / "pids.json"
        self._blocks = self.directory / "blocks.hex"
        self._end_leftovers()
        self._rpc_port, peer_port = free_ports(2)
        self._password = secrets.token_hex(16)
        self._certificate = self.directory / "btcd.cert"
        empty = self.directory / "btcd.conf"
        empty.touch()
        command: list[str | Path] = [
            find("btcd"),
            "--regtest",
            "--txindex",
            "--nodnsseed",
            "--norelaypriority",
            "--minrelaytxfee=0",
            "--rpcuser=u",
            f"--rpcpass={self._password}",
            f"--rpclisten=127.0.0.1:{self._rpc_port}",
            f"--configfile={empty}",
            f"--listen=127.0.0.1:{peer_port}",
            f"--datadir={self.directory / 'chain'}",
            f"--logdir={self.directory / 'btcd-logs'}",
            f"--rpccert={self._certificate}",
            f"--rpckey={self.directory / 'btcd.key'}",
        ]
        self.chain = Program("btcd", command, self.directory / "btcd.log")
        link = [f"--btcd.rpchost=127.0.0.1:{self._rpc_port}", "--btcd.rpcuser=u", f"--btcd.rpcpass={self._password}"]
        link.append(f"--btcd.rpccert={self._certificate}")
        self.driver = Node("driver", self.directory / "driver", link)
        self.shop = Node("shop", self.directory / "shop", link)

    def __enter__(self) -> Self:
        """Start everything; ready when a payment can be made."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the children, and forget a temporary network."""
        self.stop()

    def _start(self) -> None:
        miner = self.directory / "miner.address"
        known = [f"--miningaddr={miner.read_text()}"] if miner.exists() else []
        self.chain.start(*known)
        self._until("btcd answers", lambda: self._chain_call("getblockcount") is not None)
        self._replay_blocks()
        for node in (self.driver, self.shop):
            node.start()
        self._record()
        for node in (self.driver, self.shop):
            self._until(f"{node.name} unlocks", node.unlocked)
        if known:
            self.mine(1)  # a node calls itself synchronised only when the chain's tip is recent
        else:
            miner.write_text(self.driver.call("GET", "/v1/newaddress?type=TAPROOT_PUBKEY")["address"])
            self.chain.stop()
            self.chain.start(f"--miningaddr={miner.read_text()}")
            self._record()
            self._until("btcd answers", lambda: self._chain_call("getblockcount") is not None)
            self.mine(110)
        for node in (self.driver, self.shop):
            self._until(f"{node.name} follows the chain", node.serves)
        self.connect()
        if not self.driver.call("GET", "/v1/channels").get("channels"):
            self._open_channel()
        for node in (self.driver, self.shop):
            self._until(f"{node.name}'s channel works", node.has_channel)

    def _open_channel(self) -> None:
        self._until("the driver has coins", self._driver_has_coins)
        body = {
            "node_pubkey": base64.b64encode(bytes.fromhex(self.shop.pubkey)).decode(),
            "local_funding_amount": str(CHANNEL_SAT),
            "push_sat": str(PUSHED_SAT),
        }
        self._until("the channel opens", lambda: self.driver.call("POST", "/v1/channels", body) is not None)
        self._until("the funding spreads", lambda: self._chain_call("getrawmempool"))
        self.mine(6)

    def _driver_has_coins(self) -> bool:
        return int(self.driver.call("GET", "/v1/balance/blockchain")["confirmed_balance"]) > CHANNEL_SAT

    def connect(self) -> None:
        """Make the two nodes peers; connected already is fine."""
        address = {"pubkey": self.shop.pubkey, "host": f"127.0.0.1:{self.shop.peer_port}"}

        def connected() -> bool:
            if self.driver.call("GET", "/v1/peers").get("peers"):
                return True
            self.driver.call("POST", "/v1/peers", {"addr": address, "perm": True})
            return False

        self._until("the nodes connect", connected)

    def mine(self, blocks: int) -> None:
        """Add so many blocks to the chain."""
        mined = self._chain_call("generate", blocks)
        if not self._temporary:
            with self._blocks.open("a") as kept:
                kept.writelines(f"{self._chain_call('getblock', block, 0)}\n" for block in mined)

    def _replay_blocks(self) -> None:
        """Give btcd its chain back: on regtest it begins with an empty one at every start."""
        for block in self._blocks.read_text().split() if self._blocks.exists() else ():
            self._chain_call("submitblock", block)

    def kill(self, node: Node) -> None:
        """End one node as a power failure would; its data stays."""
        node.kill()

    def restart(self, node: Node) -> None:
        """Start a stopped or killed node again and wait until it answers and its channel works."""
        if node.pid is None:
            node.start()
            self._record()
        self._until(f"{node.name} follows the chain", node.serves)
        self.connect()
        self._until(f"{node.name}'s channel works", node.has_channel)
        for one in (self.driver, self.shop):  # path finding would avoid the channel for a while after failures on it
            one.call("POST", "/v2/router/mc/reset", {})

    def stop(self) -> None:
        """Stop the nodes, then the chain; a temporary network is thrown away, so nobody waits for it to tidy up."""
        for program in (self.driver, self.shop, self.chain):
            if self._temporary:
                program.kill()
            else:
                program.stop()
        self._pids.unlink(missing_ok=True)
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _chain_call(self, method: str, *parameters: object) -> Any:
        context = ssl.create_default_context(cafile=str(self._certificate))
        link = http.client.HTTPSConnection("127.0.0.1", self._rpc_port, timeout=40, context=context)
        token = base64.b64encode(f"u:{self._password}".encode()).decode()
        body = {"jsonrpc": "1.0", "id": 1, "method": method, "params": parameters}
        return _ask(link, "POST", "/", body, headers={"Authorization": f"Basic {token}"}, who="btcd")["result"]

    def _until(self, what: str, ready: Callable[[], Any]) -> None:
        """Poll until something holds; raises PracticeNetworkDown when it does not within a minute."""
        deadline = time.monotonic() + _PATIENCE_S
        last = ""
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except (OSError, http.client.HTTPException, PracticeNetworkDown) as error:
                last = str(error)
            for program in (self.chain, self.driver, self.shop):
                if program.process is not None and program.process.poll() is not None:
                    raise PracticeNetworkDown(
                        f"{program.name} ended while waiting until {what}: {program.last_words()}"
                    )
            time.sleep(0.1)
        raise PracticeNetworkDown(f"Gave up waiting until {what}. {last} The logs are in {self.directory}.")

    def _record(self) -> None:
        """Write the children's ids down, so that the next start can end them if this process is killed."""
        programs = (self.driver, self.shop, self.chain)
        self._pids.write_text(json.dumps({program.pid: program.command[0] for program in programs if program.pid}))

    def _end_leftovers(self) -> None:
        """End children of an earlier run of this directory that was killed; only if they still are those programs."""
        with contextlib.suppress(OSError, ValueError):
            for pid, program in json.loads(self._pids.read_text()).items():
                with contextlib.suppress(OSError):
                    if Path(f"/proc/{int(pid)}/exe").resolve() == Path(program).resolve():
                        os.kill(int(pid), signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Return so many loopback ports that are free, all different, and that no other program is given meanwhile."""
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            port, one = secrets.choice(PORTS), stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
        return found


def _ask(
    link: http.client.HTTPSConnection, method: str, path: str, body: object, *, headers: dict[str, str], who: str
) -> Any:
    with contextlib.closing(link):
        link.request(method, path, None if body is None else json.dumps(body), headers)
        reply = link.getresponse()
        text = reply.read()
    if reply.status != http.client.OK:
        raise PracticeNetworkDown(f"{who} answered {reply.status} to {path.partition('?')[0]}: {text[:300]!r}")
    return json.loads(text)
