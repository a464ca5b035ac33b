"""One file that holds everything: both databases, copied while the server writes, with checksums and the revision.

The file is a tar archive of `manifest.json` and the databases. Ours is copied before the sandbox's, so that the play
world is ahead of us or level, as the real one would be after a crash; what is open is then looked up again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from commonwatt import __version__
from commonwatt.books import check_books
from commonwatt.kernel import Instant, Refused
from commonwatt.kit.database import open_engine
from commonwatt.kit.running import DataInUse, only_server, server_runs
from commonwatt.main.config import Data
from commonwatt.main.migrations import scripts
from commonwatt.main.opening import NoData
from commonwatt.main.withholding import withhold_in

FORMAT = "commonwatt-backup/1"
MANIFEST = "manifest.json"
MEMBERS = ("commonwatt.sqlite", "sandbox.sqlite")
"""The databases, ours first."""
_ROOM = ".commonwatt-"
"""How the folders begin that a run works in; nobody else's folder is ever taken for one."""
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; one of another database would be played into a new one."""
_MANIFEST_MAX = 64 * 1024
_CHUNK = 1 << 20


class BackupUnreadable(Refused):
    """A file is no backup of ours, or was damaged."""

    slug = "backup-unreadable"
    title = "This backup cannot be restored"
    status = 422


class DataInTheWay(Refused):
    """A data directory that shall be written to is not empty, or in use."""

    slug = "data-in-the-way"
    title = "The data directory is in use"


class FileInTheWay(Refused):
    """A file that a backup shall be written to is there already."""

    slug = "file-in-the-way"
    title = "This file exists already"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: `files` maps each database to its SHA-256 and size in bytes."""

    format: str
    made: str
    version: str
    revision: str | None
    files: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and of how many sessions the change is withheld: it may have been paid since the backup."""

    manifest: Manifest
    withheld: int


def make_backup(data: Data, target: Path, now: Instant) -> Manifest:
    """Copy everything into one new file, readable by its owner only; it appears whole or not at all.

    Raises NoData where there is nothing to copy, FileInTheWay when the file exists.
    """
    if not data.database.is_file():
        msg = f"There is no database in {data.dir}; nothing was copied."
        raise NoData(msg, data=str(data.dir))
    if target.exists():
        msg = f"{target} exists. Choose another name; a backup is never written over."
        raise FileInTheWay(msg, file=str(target))
    with _workroom(target.parent) as room:
        copies = [copy for name in MEMBERS if (copy := _copy(data.dir / name, room / name)) is not None]
        files = {copy.name: {"sha256": _digest(copy), "bytes": copy.stat().st_size} for copy in copies}
        manifest = Manifest(FORMAT, now.iso(), __version__, _revision(copies[0]), files)
        whole = room / "whole.tar"
        with whole.open("xb") as out:
            _pack(out, manifest, copies)
            out.flush()
            os.fsync(out.fileno())
        whole.chmod(0o600)
        whole.rename(target)
    _sync_folder(target.parent)
    return manifest


def restore_backup(data: Data, source: Path, now: Instant, *, replace: bool) -> Restored:
    """Put a backup into the data directory after everything in it was checked; what was there is kept aside.

    No change leaves the restored database before its owner has released it.

    Raises BackupUnreadable for a damaged or foreign file, DataInTheWay for a directory that holds data (unless
    `replace`) or that a running server uses, BooksBroken when the backup's own books do not add up.
    """
    data.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _no_server(data.dir), _workroom(data.dir) as room:
        present = databases_in(data)
        if present and not replace:
            msg = f"{data.dir} holds data already. Choose an empty directory with --data, or replace it with --yes."
            raise DataInTheWay(msg, data=str(data.dir))
        manifest = _unpack(source, room)
        for name in manifest.files:
            _inspect(room / name)
        withheld = withhold_in(room / MEMBERS[0], now)
        _settle_log(room / MEMBERS[0])
        for path in present:
            _put_aside(path, room)
        for name in manifest.files:
            (room / name).chmod(0o600)
            (room / name).rename(data.dir / name)
    _sync_folder(data.dir)
    return Restored(manifest, withheld)


@contextlib.contextmanager
def _no_server(place: Path) -> Iterator[None]:
    """Keep servers away until all is in place: one that starts meanwhile would write into what is moved aside."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(only_server(place))
        except DataInUse as error:
            raise _served(place) from error
        yield


def databases_in(data: Data) -> list[Path]:
    """Return the databases that a restore would put aside; one counts if only what SQLite keeps beside it is left."""
    return [data.dir / name for name in MEMBERS if any(path.exists() for path in _whole(data.dir / name))]


def refuse_while_served(data: Data) -> None:
    """Raise DataInTheWay while a server runs over the data directory: before anybody is asked to replace it."""
    if server_runs(data.dir):
        raise _served(data.dir)


def _served(place: Path) -> DataInTheWay:
    return DataInTheWay(f"A server runs over {place}. Stop it, then restore.", data=str(place))


@contextlib.contextmanager
def _workroom(place: Path) -> Iterator[Path]:
    """Make a folder to work in, gone at the end; first remove what killed runs left, known by nobody's lock on it."""
    with _locked(place):
        for left in place.glob(f"{_ROOM}*"):
            if left.is_dir() and not left.is_symlink() and _is_abandoned(left):
                shutil.rmtree(left, ignore_errors=True)
        room = Path(tempfile.mkdtemp(dir=place, prefix=_ROOM))
        handle = os.open(room, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield room
    finally:
        os.close(handle)
        shutil.rmtree(room, ignore_errors=True)


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Let one run at a time look for abandoned folders and make its own."""
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_abandoned(room: Path) -> bool:
    try:
        handle = os.open(room, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _copy(source: Path, target: Path) -> Path | None:
    """Copy a database while others write to it (SQLite online backup).

    In one step, which is one snapshot beside the write-ahead log: between steps every commit of others would begin the
    copy anew, and it would never end.
    """
    if not source.is_file():
        return None
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=-1)
        new.execute("PRAGMA journal_mode=DELETE")
    return target


def _pack(out: IO[bytes], manifest: Manifest, copies: list[Path]) -> None:
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        text = json.dumps(asdict(manifest), indent=1).encode()
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(text)
        head.mode = 0o600
        archive.addfile(head, io.BytesIO(text))
        for copy in copies:
            member = tarfile.TarInfo(copy.name)
            member.size = copy.stat().st_size
            member.mode = 0o600
            with copy.open("rb") as content:
                archive.addfile(member, content)


def _unpack(source: Path, room: Path) -> Manifest:
    try:
        with tarfile.open(source, mode="r:") as archive:
            manifest = _manifest(archive, source)
            for name, promise in manifest.files.items():
                found = _write(archive.extractfile(name), room / name)
                if found != promise["sha256"]:
                    msg = f"{name} in {source} was damaged: its checksum is not the one that was written down."
                    raise BackupUnreadable(msg, file=str(source))
    except (OSError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        msg = f"{source} is no backup of ours, or it was cut short ({error}). Take another copy."
        raise BackupUnreadable(msg, file=str(source)) from error
    return manifest


def _manifest(archive: tarfile.TarFile, source: Path) -> Manifest:
    head = archive.next()
    content = archive.extractfile(head) if head is not None and head.name == MANIFEST else None
    said = json.loads(content.read(_MANIFEST_MAX)) if content is not None else {}
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        msg = f"{source} is no backup of ours, or one of a newer version."
        raise BackupUnreadable(msg, file=str(source))
    manifest = Manifest(**said)
    if manifest.revision not in known_revisions():
        msg = f"{source} was made by a newer version ({manifest.version}). Install that version, then restore."
        raise BackupUnreadable(msg, file=str(source))
    names = set(manifest.files)
    if MEMBERS[0] not in names or not names <= set(MEMBERS):
        msg = f"{source} does not hold what a backup holds."
        raise BackupUnreadable(msg, file=str(source))
    return manifest


def _inspect(path: Path) -> None:
    """Check a database from inside: its pages, its references and, for ours, the books."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
        except sqlite3.DatabaseError as error:
            found, dangling = str(error), None
    if found != "ok" or dangling is not None:
        msg = f"The database {path.name} in the backup is damaged ({found}). Nothing was restored."
        raise BackupUnreadable(msg)
    if path.name == MEMBERS[0]:
        engine = open_engine(path)
        try:
            with engine.connect() as connection_of_ours:
                check_books(connection_of_ours)
        finally:
            engine.dispose()
        _settle_log(path)


def _put_aside(path: Path, room: Path) -> None:
    """Keep a database that is replaced under another name, a damaged one as it is with what SQLite keeps beside it.

    Raises DataInTheWay when somebody has it open.
    """
    if path.exists():
        beside = [(one, shutil.copy(one, room)) for one in _whole(path)[1:] if one.exists()]
        try:
            _settle_log(path)
        except sqlite3.Error as error:
            if _is_busy(error):
                msg = f"{path} is in use ({error}). Stop the server that runs on it, then restore."
                raise DataInTheWay(msg, file=str(path)) from error
            # SQLite removes a log that it cannot read; somebody else may save payments from it
            for one, copy in beside:
                shutil.copy(copy, one)
    number = 1
    while any(aside.exists() for aside in _whole(path.with_name(f"{path.name}.replaced-{number}"))):
        number += 1
    aside = path.with_name(f"{path.name}.replaced-{number}")
    for one, kept in zip(_whole(path), _whole(aside), strict=True):
        if one.exists():
            one.rename(kept)


def _whole(path: Path) -> list[Path]:
    """Return the files that a database may consist of; they belong together under any name."""
    return [path, *(path.with_name(path.name + end) for end in _BESIDE)]


def _is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else has the database open; all other errors tell of damage."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _settle_log(path: Path) -> None:
    """Fold the write-ahead log into the file; SQLite refuses while anybody else has it open."""
    with closing(sqlite3.connect(path, timeout=1)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


def known_revisions() -> set[str | None]:
    """Return the migrations that this version can start from; None is a database before the first."""
    return {None, *(script.revision for script in scripts().walk_revisions())}


def _revision(path: Path) -> str | None:
    """Read the migration that a copy stands at without touching the file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return None if row is None else str(row[0])


def _write(content: IO[bytes] | None, target: Path) -> str:
    if content is None:
        msg = f"{target.name} is no file"
        raise ValueError(msg)
    digest = hashlib.sha256()
    with target.open("xb") as out:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
