"""The one thing CaseMesh asks of a Kubernetes API server: that a Secret or ConfigMap of its own namespace hold this.

From within a pod, with the token of its service account, over the standard library: no client package for one request.
Source: Kubernetes API concepts, server-side apply; Accessing the API from within a pod.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_FIELD_MANAGER = "casemesh-keeper"
_TIMEOUT_SECONDS = 10.0


class KubernetesError(RuntimeError):
    """The API server refused or did not answer; the message names the object, never its content."""


@dataclass(frozen=True)
class Published:
    """A Secret or ConfigMap as it is to be. `type` is a Secret's, for a ConfigMap None."""

    name: str
    data: Mapping[str, bytes]
    type: str | None = "Opaque"

    @property
    def kind(self) -> str:
        """`Secret` or `ConfigMap`."""
        return "ConfigMap" if self.type is None else "Secret"

    def manifest(self, namespace: str) -> dict[str, object]:
        """Return the object to apply."""
        document: dict[str, object] = {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {
                "name": self.name,
                "namespace": namespace,
                "labels": {"app.kubernetes.io/part-of": "casemesh", "app.kubernetes.io/managed-by": "casemesh-keeper"},
            },
        }
        if self.type is None:
            return document | {"data": {key: value.decode() for key, value in self.data.items()}}
        encoded = {key: base64.b64encode(value).decode() for key, value in self.data.items()}
        return document | {"type": self.type, "data": encoded}


class KubernetesApi:
    """The API server of the cluster that this process runs in. Blocks; call it from a thread."""

    def __init__(self, address: str, namespace: str, account: Path = _ACCOUNT) -> None:
        self._address = address
        self._namespace = namespace
        self._account = account

    @classmethod
    def of_this_pod(cls) -> KubernetesApi:
        """Return the one that the kubelet told this pod of. Raises KubernetesError outside a pod."""
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
        if not host or not port:
            raise KubernetesError("this process runs in no pod: KUBERNETES_SERVICE_HOST is not set")
        try:
            namespace = (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise KubernetesError(f"{_ACCOUNT}/namespace: {error.strerror}; mount a token") from error
        return cls(f"https://{f'[{host}]' if ':' in host else host}:{port}", namespace)

    def apply(self, published: Published) -> None:
        """Make the object what `published` says, whether it is there or not; keys it no longer has are removed.

        Raises KubernetesError.
        """
        plural = f"{published.kind.lower()}s"
        url = (
            f"{self._address}/api/v1/namespaces/{self._namespace}/{plural}/{published.name}"
            f"?fieldManager={_FIELD_MANAGER}&force=true"
        )
        # Read each time: the kubelet renews the token in place.
        try:
            token = (self._account / "token").read_text(encoding="utf-8").strip()
            tls = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        except OSError as error:
            raise KubernetesError(f"{self._account}: {error.strerror}") from error
        request = Request(  # noqa: S310  # the address is the cluster's own
            url,
            method="PATCH",
            data=json.dumps(published.manifest(self._namespace)).encode(),
            headers={"authorization": f"Bearer {token}", "content-type": "application/apply-patch+yaml"},
        )
        what = f"{published.kind} {published.name}"
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS, context=tls) as answer:  # noqa: S310
                answer.read()
        except HTTPError as error:
            raise KubernetesError(f"{what}: the API server answered {error.code} {error.reason}") from error
        except (URLError, OSError) as error:
            raise KubernetesError(f"{what}: the API server does not answer: {error}") from error
