import datetime

from casemesh.supervision.v1 import warning_pb2 as _warning_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Rule(_message.Message):
    __slots__ = ("rule", "version", "title_zh", "title_en", "legal_basis", "rank", "kind", "inputs", "expression", "missing_facts", "reviewed_by", "review_time", "review_note")
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    MISSING_FACTS_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_BY_FIELD_NUMBER: _ClassVar[int]
    REVIEW_TIME_FIELD_NUMBER: _ClassVar[int]
    REVIEW_NOTE_FIELD_NUMBER: _ClassVar[int]
    rule: str
    version: str
    title_zh: str
    title_en: str
    legal_basis: str
    rank: _warning_pb2.WarningRank
    kind: str
    inputs: _containers.RepeatedScalarFieldContainer[str]
    expression: str
    missing_facts: _containers.RepeatedScalarFieldContainer[str]
    reviewed_by: str
    review_time: _timestamp_pb2.Timestamp
    review_note: str
    def __init__(self, rule: _Optional[str] = ..., version: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., legal_basis: _Optional[str] = ..., rank: _Optional[_Union[_warning_pb2.WarningRank, str]] = ..., kind: _Optional[str] = ..., inputs: _Optional[_Iterable[str]] = ..., expression: _Optional[str] = ..., missing_facts: _Optional[_Iterable[str]] = ..., reviewed_by: _Optional[str] = ..., review_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., review_note: _Optional[str] = ...) -> None: ...

class RuleChange(_message.Message):
    __slots__ = ("case", "rule", "subject", "rank", "explanation_zh", "explanation_en")
    CASE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_ZH_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_EN_FIELD_NUMBER: _ClassVar[int]
    case: str
    rule: str
    subject: str
    rank: _warning_pb2.WarningRank
    explanation_zh: str
    explanation_en: str
    def __init__(self, case: _Optional[str] = ..., rule: _Optional[str] = ..., subject: _Optional[str] = ..., rank: _Optional[_Union[_warning_pb2.WarningRank, str]] = ..., explanation_zh: _Optional[str] = ..., explanation_en: _Optional[str] = ...) -> None: ...
