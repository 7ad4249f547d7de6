"""Data that ships with CaseMesh: collaboration nodes, kinds of organ, code packs.

Every reader returns the whole table, checked: a shipped file that breaks its own rules raises ShippedDataError when it
is read, naming file, line and field. Files are read from the installed package, from a wheel as from a checkout.

What the figures mean and how far to trust them stands in README.md in this folder.
"""

from casemesh.data.catalogue import CollaborationNode, NodeKind, OrganKind, StatutoryLimit, nodes, organ_kinds
from casemesh.data.packs import CodeSystemPack, ConceptMapPack, code_system_packs, concept_map_packs
from casemesh.data.tables import ShippedDataError
from casemesh.data.time_limits import TimeLimit, time_limits

__all__ = [
    "CodeSystemPack",
    "CollaborationNode",
    "ConceptMapPack",
    "NodeKind",
    "OrganKind",
    "ShippedDataError",
    "StatutoryLimit",
    "TimeLimit",
    "code_system_packs",
    "concept_map_packs",
    "nodes",
    "organ_kinds",
    "time_limits",
]
