"""What the machine refuses, told as an error of ours: a folder that is not ours, a full disk, a busy database."""

from __future__ import annotations

import errno
import sqlite3
import sys

from commonwatt.kernel import Broken, Fault, Unavailable
from commonwatt.kit.reason import reason_of

_NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

_DAMAGE = ("not a database", "malformed", "no such table", "no such column")
"""What SQLite says of a file that is no database of ours, or no longer a whole one."""


class PathRefused(Unavailable):
    """The machine does not let this user read or write there."""

    slug = "path-refused"
    title = "This place cannot be used"


class DatabaseRefused(Unavailable):
    """SQLite could not open the database, or not write to it."""

    slug = "database-refused"
    title = "The database cannot be used"


class DatabaseUnreadable(Broken):
    """A file is no database of ours, or it was damaged."""

    slug = "database-unreadable"
    title = "This is no sound database of Commonwatt"


def fault_of(error: Exception) -> Fault | None:
    """Return what a person reads about an error of the file system or of SQLite; None for any other."""
    if isinstance(error, OSError):
        return path_refused(error)
    if isinstance(error, sqlite3.Error):
        return database_refused(error, "The file of the database")
    alchemy = sys.modules.get("sqlalchemy.exc")
    if alchemy is not None and isinstance(error, alchemy.DBAPIError):
        return database_refused(error.orig or error, "The file of the database")
    return None


def path_refused(error: OSError) -> PathRefused | None:
    """Return what a person reads about a path; None for an error that is about no path and no disk."""
    path = error.filename2 or error.filename
    where = "The place" if path is None else str(path)
    named = {} if path is None else {"path": where}
    if error.errno in _NOT_ALLOWED and path is not None:
        return PathRefused(
            f"{where} cannot be written by this user. Give this user the right to, or name another place.", **named
        )
    if error.errno in _NOT_THERE and path is not None:
        return PathRefused(
            f"{where} cannot be used: {reason_of(error)}. Make its folder first, or name another place.", **named
        )
    if error.errno in _NO_ROOM:
        return PathRefused(f"{where} cannot be written: {reason_of(error)}. Make room, then try again.", **named)
    return None


def database_refused(error: BaseException, where: str) -> DatabaseRefused | DatabaseUnreadable:
    """Return what a person reads about a database, named by `where`."""
    said = str(error)
    if any(sign in said for sign in _DAMAGE):
        return database_unreadable(said, where)
    if "locked" in said or "busy" in said:
        todo = "is busy: another program writes to it. Try again in a moment."
    elif any(word in said for word in ("readonly", "unable to open", "permission", "not authorized")):
        todo = "cannot be written by this user. Give this user the right to its file and folder, or name another place."
    else:
        todo = f"could not be used: {said}. `commonwatt doctor` looks for the reason."
    return DatabaseRefused(f"{where} {todo}", path=where)


def database_unreadable(reason: str, where: str) -> DatabaseUnreadable:
    """Return what a person reads about a file that is damaged, empty, or something else than a database of ours."""
    said = f"{where} is no database of Commonwatt, or it is damaged: {reason}. Restore the last backup."
    return DatabaseUnreadable(said, path=where)
