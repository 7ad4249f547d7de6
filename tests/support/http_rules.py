"""The `google.api.http` rules of the protos, one by one."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pkgutil import walk_packages

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import MethodDescriptor

import casemesh

_VARIABLE = re.compile(r"\{([a-z_]+)(?:=([^}]*))?\}")


@dataclass(frozen=True)
class HttpRule:
    """One way to call a method as JSON."""

    method: MethodDescriptor
    verb: str
    template: str
    body: str

    @property
    def path(self) -> str:
        """Its gRPC path."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def variables(self) -> dict[str, str]:
        """The fields in its path, with the pattern each must have."""
        return {name: pattern or "*" for name, pattern in _VARIABLE.findall(self.template)}

    def filled(self, segment: str) -> str:
        """Its path with `segment` wherever a value stands."""
        return _VARIABLE.sub(lambda match: (match[2] or "*").replace("*", segment), self.template)


def http_rules() -> Iterator[HttpRule]:
    """Give every rule of every service, further bindings included."""
    for module in walk_packages(casemesh.__path__, "casemesh."):
        if not re.search(r"\.v1\.\w+_service_pb2$", module.name):
            continue
        for service in importlib.import_module(module.name).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                if method.GetOptions().HasExtension(annotations_pb2.http):
                    first = method.GetOptions().Extensions[annotations_pb2.http]
                    for rule in (first, *first.additional_bindings):
                        yield _read(method, rule)


def _read(method: MethodDescriptor, rule: http_pb2.HttpRule) -> HttpRule:
    verb = rule.WhichOneof("pattern")
    assert verb is not None
    return HttpRule(method, verb.upper(), getattr(rule, verb), rule.body)
