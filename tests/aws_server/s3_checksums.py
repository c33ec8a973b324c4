"""S3's checksums, and the chunked encoding that carries them in a trailer."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from tests.aws_server.blobs import Blob
from tests.aws_server.wire import ApiError, Request

_HASHES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "CRC32": lambda content: zlib.crc32(content).to_bytes(4, "big"),
    "SHA1": lambda content: hashlib.sha1(content, usedforsecurity=False).digest(),
    "SHA256": lambda content: hashlib.sha256(content).digest(),
}
ALGORITHMS: Final = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


def header_of(algorithm: str) -> str:
    return f"x-amz-checksum-{algorithm.lower()}"


def digest_of(algorithm: str, content: bytes) -> bytes:
    """Return the checksum, or raise that this server cannot compute it."""
    if algorithm not in _HASHES:
        raise ApiError(501, "NotImplemented", f"this server does not compute {algorithm}")
    return _HASHES[algorithm](content)


def body_of(request: Request) -> tuple[bytes, Mapping[str, str]]:
    """Return the body without the chunks around it, and the headers with those of the trailer."""
    declared = request.headers.get("x-amz-content-sha256", "")
    if not declared.startswith("STREAMING-") and "aws-chunked" not in request.headers.get("content-encoding", ""):
        _check_sha256(declared, request.body)
        return request.body, request.headers
    content, trailer = _unchunked(request.body)
    length = request.headers.get("x-amz-decoded-content-length")
    if length is not None and int(length) != len(content):
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
        raise ApiError(400, "IncompleteBody", message)
    return content, {**request.headers, **trailer}


def _check_sha256(declared: str, content: bytes) -> None:
    is_digest = len(declared) == 64
    if is_digest and hashlib.sha256(content).hexdigest() != declared:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise ApiError(400, "XAmzContentSHA256Mismatch", message)


def _unchunked(body: bytes) -> tuple[bytes, dict[str, str]]:
    pieces, position = [], 0
    while True:
        end = body.find(b"\r\n", position)
        try:
            size = int(body[position:end].partition(b";")[0], 16)
        except ValueError:
            raise ApiError(400, "IncompleteBody", "The request body terminated unexpectedly") from None
        position = end + 2
        if not size:
            break
        pieces.append(body[position : position + size])
        position += size + 2
    lines = [line.partition(":") for line in body[position:].decode().split("\r\n") if ":" in line]
    return b"".join(pieces), {name.strip().lower(): value.strip() for name, _, value in lines}


def checked(content: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """Verify every checksum that ``headers`` claim and return them by algorithm, in base64."""
    md5 = headers.get("content-md5")
    if md5 and base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode() != md5:
        raise ApiError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    found = {name: headers[header_of(name)] for name in ALGORITHMS if header_of(name) in headers}
    for algorithm, claimed in found.items():
        actual = digest_of(algorithm, content)
        if not _is_base64_of(claimed, len(actual)):
            raise ApiError(400, "InvalidRequest", f"Value for {header_of(algorithm)} header is invalid.")
        if base64.b64encode(actual).decode() != claimed:
            message = f"The {algorithm} you specified did not match the calculated checksum."
            raise ApiError(400, "BadDigest", message)
    return found


def _is_base64_of(text: str, size: int) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == size
    except ValueError:
        return False


def composite(algorithm: str, parts: list[Blob]) -> str:
    """Return the checksum of the parts' checksums, as S3 writes it."""
    joined = b"".join(digest_of(algorithm, part.content) for part in parts)
    return f"{base64.b64encode(digest_of(algorithm, joined)).decode()}-{len(parts)}"
