from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from casemesh.supervision.v1 import rule_pb2 as _rule_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListRulesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRulesResponse(_message.Message):
    __slots__ = ("rules", "next_page_token")
    RULES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    next_page_token: str
    def __init__(self, rules: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRuleRequest(_message.Message):
    __slots__ = ("rule",)
    RULE_FIELD_NUMBER: _ClassVar[int]
    rule: str
    def __init__(self, rule: _Optional[str] = ...) -> None: ...

class GetRuleResponse(_message.Message):
    __slots__ = ("rule",)
    RULE_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ...) -> None: ...

class DryRunRulesRequest(_message.Message):
    __slots__ = ("overlay", "max_cases")
    OVERLAY_FIELD_NUMBER: _ClassVar[int]
    MAX_CASES_FIELD_NUMBER: _ClassVar[int]
    overlay: str
    max_cases: int
    def __init__(self, overlay: _Optional[str] = ..., max_cases: _Optional[int] = ...) -> None: ...

class DryRunRulesResponse(_message.Message):
    __slots__ = ("appearing", "disappearing", "appearing_count", "disappearing_count", "case_count")
    APPEARING_FIELD_NUMBER: _ClassVar[int]
    DISAPPEARING_FIELD_NUMBER: _ClassVar[int]
    APPEARING_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISAPPEARING_COUNT_FIELD_NUMBER: _ClassVar[int]
    CASE_COUNT_FIELD_NUMBER: _ClassVar[int]
    appearing: _containers.RepeatedCompositeFieldContainer[_rule_pb2.RuleChange]
    disappearing: _containers.RepeatedCompositeFieldContainer[_rule_pb2.RuleChange]
    appearing_count: int
    disappearing_count: int
    case_count: int
    def __init__(self, appearing: _Optional[_Iterable[_Union[_rule_pb2.RuleChange, _Mapping]]] = ..., disappearing: _Optional[_Iterable[_Union[_rule_pb2.RuleChange, _Mapping]]] = ..., appearing_count: _Optional[int] = ..., disappearing_count: _Optional[int] = ..., case_count: _Optional[int] = ...) -> None: ...

class ImportRulesRequest(_message.Message):
    __slots__ = ("request_id", "overlay", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    OVERLAY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    overlay: str
    note: str
    def __init__(self, request_id: _Optional[str] = ..., overlay: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class ImportRulesResponse(_message.Message):
    __slots__ = ("version", "rule_count")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RULE_COUNT_FIELD_NUMBER: _ClassVar[int]
    version: int
    rule_count: int
    def __init__(self, version: _Optional[int] = ..., rule_count: _Optional[int] = ...) -> None: ...

class ReviewRuleRequest(_message.Message):
    __slots__ = ("request_id", "rule", "version", "note")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    rule: str
    version: str
    note: str
    def __init__(self, request_id: _Optional[str] = ..., rule: _Optional[str] = ..., version: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class ReviewRuleResponse(_message.Message):
    __slots__ = ("rule",)
    RULE_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ...) -> None: ...
