"""A small object store on a socket that does, on order, what object stores should not do.

    store.next("PUT", "500", "lost answer")

It speaks as much of the S3 API as packs need. What a fault is not ordered for is done right, checksums included.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.object_store import ObjectStore, write_keys

BUCKET = "bucket"


class MisbehavingStore(ObjectStore):
    """The running store: its objects by name, and what it is to do wrong next."""

    def __init__(self, endpoint: str, keys: Path) -> None:
        super().__init__(endpoint, keys)
        self.objects: dict[str, bytes] = {}
        self.unlisted: set[str] = set()
        self.requests: list[str] = []
        self.ended = threading.Event()
        self._faults: dict[str, deque[str]] = defaultdict(deque)

    def next(self, method: str, *faults: str) -> None:
        """Order faults for the next requests of a method, PUT, GET, LIST or DELETE, one each."""
        self._faults[method].extend(faults)

    def always(self, method: str, fault: str) -> None:
        """Order a fault for more requests than anybody makes."""
        self._faults[method].extend([fault] * 1000)

    def behave(self) -> None:
        """Forget all orders."""
        self._faults.clear()

    def fault(self, method: str) -> str:
        """The fault for this request; empty for none."""
        self.requests.append(method)
        return self._faults[method].popleft() if self._faults[method] else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_PUT(self) -> None:
        store: MisbehavingStore = self.server.store
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match store.fault("PUT"):
            case "500" | "503" as status:
                self._fail(int(status))
            case "error in a success":
                self._answer(200, _error("InternalError"))
            case "altered on the way":
                self._store(_altered(body))
            case "altered and confirmed":
                store.objects[self._name()] = _altered(body)
                self._answer(200)
            case "cut and confirmed":
                store.objects[self._name()] = body[:-1]
                self._answer(200)
            case "lost answer":
                store.objects.setdefault(self._name(), body)
                self.close_connection = True
            case "no answer":
                store.objects.setdefault(self._name(), body)
                store.ended.wait()
                self.close_connection = True
            case _:
                self._store(body)

    def do_GET(self) -> None:
        store: MisbehavingStore = self.server.store
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(store.fault("LIST"), query.get("prefix", [""])[0])
            return
        data = store.objects.get(self._name())
        fault = store.fault("GET")
        if fault in ("500", "503"):
            self._fail(int(fault))
        elif data is None:
            self._answer(404, _error("NoSuchKey"))
        else:
            self._send(data, fault)

    def do_DELETE(self) -> None:
        store: MisbehavingStore = self.server.store
        fault = store.fault("DELETE")
        if fault:
            self._fail(int(fault))
            return
        store.objects.pop(self._name(), None)
        self._answer(204)

    def _name(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}/")

    def _store(self, body: bytes) -> None:
        store: MisbehavingStore = self.server.store
        if base64.b64encode(hashlib.sha256(body).digest()).decode() != self.headers["x-amz-checksum-sha256"]:
            self._answer(400, _error("BadDigest"))
        elif self.headers["If-None-Match"] != "*" or self._name() in store.objects:
            self._answer(412, _error("PreconditionFailed"))
        else:
            store.objects[self._name()] = body
            self._answer(200)

    def _send(self, data: bytes, fault: str) -> None:
        asked = self.headers["Range"]
        first, last = 0, len(data) - 1
        if asked:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end), last)
        part = data[first : last + 1]
        if fault == "altered":
            part = _altered(part)
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self._headers(len(part))
        if fault == "cut":
            part = part[: len(part) // 2]
            self.close_connection = True
        self.wfile.write(part)

    def _list(self, fault: str, prefix: str) -> None:
        if fault in ("500", "503"):
            self._fail(int(fault))
            return
        store: MisbehavingStore = self.server.store
        hidden = store.unlisted if fault == "stale" else set()
        names = sorted(name for name in store.objects if name.startswith(prefix) and name not in hidden)
        entries = "".join(
            f"<Contents><Key>{name}</Key><Size>{len(store.objects[name])}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag></Contents>"
            for name in names
        )
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode())

    def _fail(self, status: int) -> None:
        self._answer(status, _error("SlowDown" if status == HTTPStatus.SERVICE_UNAVAILABLE else "InternalError"))

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self._headers(len(body))
        self.wfile.write(body)

    def _headers(self, length: int) -> None:
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"not-to-be-trusted"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()


def _altered(data: bytes) -> bytes:
    at = min(1000, len(data) - 1)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>as ordered</Message></Error>".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    store: MisbehavingStore


@contextmanager
def misbehaving_store(keys: Path) -> Iterator[MisbehavingStore]:
    """A running store; the files of its key go into the folder `keys`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.store = MisbehavingStore(f"http://127.0.0.1:{server.server_port}", write_keys(keys))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.store
        finally:
            server.store.ended.set()
            server.shutdown()
            thread.join()
