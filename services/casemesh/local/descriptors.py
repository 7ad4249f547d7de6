"""The descriptor set of the services that agencies may call, from the generated stubs.

The gateway turns JSON into gRPC by it. What clients in other languages generate from has the comments as well:
`make descriptors`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2


def descriptor_set(grpc_services: Iterable[str]) -> FileDescriptorSet:
    """Returns the files of the named gRPC services with all they import, each before those that import it.

    The details of errors are in it too, since JSON names their types. Comments are not.
    Raises ModuleNotFoundError for a service that there are no stubs of.
    """
    found: dict[str, FileDescriptor] = {}

    def add(file: FileDescriptor) -> None:
        if file.name not in found:
            for dependency in file.dependencies:
                add(dependency)
            found[file.name] = file

    for grpc_service in grpc_services:
        package, _, name = grpc_service.rpartition(".")
        module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        add(importlib.import_module(f"{package}.{module}_pb2").DESCRIPTOR)
    add(error_details_pb2.DESCRIPTOR)
    files = FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(files.file.add())
    return files
