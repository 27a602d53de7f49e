"""Finding, checking, fetching and unpacking the files of a data set."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import secrets
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Collection, Iterable, Sequence
from typing import IO, Any

__all__ = ["check_integrity", "download", "folders_to_search", "read_archive", "read_checked", "write_whole"]

VARIABLE = "TINYGRAD_EDU_DATA"
LARGEST = 1 << 30  # bytes; no official file here comes near it, so a larger one is not what it claims to be
CHUNK = 1 << 18


def folders_to_search(root: str | os.PathLike[str], *below: str) -> list[str]:
    """Every folder where a data set's files may lie, in order: under the root, then under TINYGRAD_EDU_DATA."""
    bases = [os.path.expanduser(os.fspath(root))]
    if named := os.environ.get(VARIABLE):
        bases.append(os.path.expanduser(named))
    return [os.path.join(base, folder) if folder else base for base in bases for folder in below]


def digest(content: bytes) -> str:
    """The md5 sum, which guards against accidents, not against attackers."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def check_integrity(fpath: str | os.PathLike[str], md5: str | None = None) -> bool:
    """Is the file there, and does it have this md5 sum?"""
    if not os.path.isfile(fpath):
        return False
    if md5 is None:
        return True
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5


def read_checked(path: str, md5: str | None) -> bytes:
    """The bytes of a file, if they have the published digest.

    Raises
    ------
    RuntimeError
        If they have another, or the file is larger than any official one.

    """
    size = os.path.getsize(path)
    if size > LARGEST:
        raise RuntimeError(f"File not found or corrupted: {path} has {size:,} bytes, far more than the official file")
    with open(path, "rb") as file:
        content = file.read()
    if md5 is not None and (found := digest(content)) != md5:
        raise RuntimeError(
            f"File not found or corrupted: {path} ({size:,} bytes) has md5 {found}, the official file {md5}. "
            "It was probably cut while being downloaded: delete it and fetch it again (download=True)."
        )
    return content


def unpack_gzip(content: bytes, path: str, limit: int = LARGEST) -> bytes:
    """The contents of a gzip file, refused beyond ``limit`` bytes."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RuntimeError(f"File not found or corrupted: {path} cannot be unpacked ({error})") from None
    if len(unpacked) > limit:
        raise RuntimeError(f"{path} unpacks to more than {limit:,} bytes and is refused")
    return unpacked


def read_archive(
    content: bytes, path: str, folder: str, wanted: Collection[str], limit: int = LARGEST
) -> dict[str, bytes]:
    """The wanted files of ``folder`` in a tar archive, by name; nothing is written to the disk.

    Raises
    ------
    RuntimeError
        If the archive holds anything that would land outside the folder, a link, a device, more than ``limit`` bytes,
        or lacks a file.

    """
    found: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            for member in archive:
                parts = member.name.rstrip("/").split("/")
                inside = parts[0] == folder and ".." not in parts and "" not in parts and "\\" not in member.name
                if not inside or not (member.isfile() or member.isdir()):
                    raise RuntimeError(
                        f"{path} holds {member.name!r}, which is no plain file inside {folder!r}; such an archive is "
                        "refused whole and nothing was unpacked"
                    )
                total += member.size
                if total > limit:
                    raise RuntimeError(f"{path} unpacks to more than {limit:,} bytes and is refused")
                if member.isfile() and len(parts) == 2 and parts[1] in wanted:
                    file: IO[bytes] | None = archive.extractfile(member)
                    assert file is not None  # it is a plain file
                    found[parts[1]] = file.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise RuntimeError(f"File not found or corrupted: {path} cannot be unpacked ({error})") from None
    if missing := [name for name in wanted if name not in found]:
        raise RuntimeError(f"{path} lacks {', '.join(missing)}")
    return found


def write_whole(path: str, content: bytes) -> None:
    """Write a file aside and rename it, so that it is never there in part."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    aside = f"{path}.{os.getpid()}.{secrets.token_hex(4)}.part"
    try:
        with open(aside, "xb") as file:
            file.write(content)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise


def download(urls: Sequence[str], path: str, md5: str, by_hand: str) -> bytes:
    """Fetch a file from the first mirror that has it whole, keep it under ``path`` and return its bytes.

    Raises
    ------
    RuntimeError
        If no mirror gave it; one message that says what was tried and, ``by_hand``, what to do without a network.

    """
    tried = []
    for url in urls:
        try:
            content = _fetch(url, os.path.basename(path))
        except (urllib.error.URLError, OSError, ValueError) as error:
            tried.append(f"  {url}: {getattr(error, 'reason', None) or error}")
            continue
        if digest(content) == md5:
            write_whole(path, content)
            return content
        tried.append(f"  {url}: gave {len(content):,} bytes with the wrong md5 sum")
    raise RuntimeError("\n".join([f"Error downloading {os.path.basename(path)}:", *tried, by_hand]))


def _fetch(url: str, name: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "tinygrad_edu"})
    with urllib.request.urlopen(request, timeout=30) as response:
        announced = int(response.headers.get("Content-Length") or 0)
        received = bytearray()
        with _progress(name, announced) as bar:
            while chunk := response.read(CHUNK):
                received += chunk
                bar.update(len(chunk))
                if len(received) > LARGEST:
                    raise ValueError(f"more than {LARGEST:,} bytes")
    if announced and len(received) != announced:
        raise ValueError(f"the connection broke after {len(received):,} of {announced:,} bytes")
    return bytes(received)


class _NoBar:
    """Stands in for tqdm where it is not installed."""

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, count: int) -> None:
        """Show nothing."""


def _progress(name: str, total: int) -> Any:
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]  # has none
    except ImportError:
        return _NoBar()
    return tqdm(desc=name, total=total or None, unit="B", unit_scale=True)


def not_found(kind: str, files: Iterable[str], searched: Sequence[str], torchvision_folder: str) -> RuntimeError:
    """The error for missing files: torchvision's sentence, then where we looked and how to mend it."""
    places = "\n".join(f"  {folder}" + ("" if os.path.isdir(folder) else "  (no such folder)") for folder in searched)
    return RuntimeError(
        "Dataset not found. You can use download=True to download it\n"
        f"{kind} needs the files {', '.join(files)}. Looked in:\n{places}\n"
        f"Without a network: copy them to {torchvision_folder}, or name the folder they are in by the environment "
        f"variable {VARIABLE}."
    )
