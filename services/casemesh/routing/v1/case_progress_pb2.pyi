import datetime

from casemesh.routing.v1 import case_pb2 as _case_pb2
from casemesh.routing.v1 import exchange_pb2 as _exchange_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NextNodeReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEXT_NODE_REASON_UNSPECIFIED: _ClassVar[NextNodeReason]
    NEXT_NODE_REASON_ANSWERS: _ClassVar[NextNodeReason]
    NEXT_NODE_REASON_FOLLOWS: _ClassVar[NextNodeReason]
    NEXT_NODE_REASON_MOVES: _ClassVar[NextNodeReason]
    NEXT_NODE_REASON_FITS: _ClassVar[NextNodeReason]
NEXT_NODE_REASON_UNSPECIFIED: NextNodeReason
NEXT_NODE_REASON_ANSWERS: NextNodeReason
NEXT_NODE_REASON_FOLLOWS: NextNodeReason
NEXT_NODE_REASON_MOVES: NextNodeReason
NEXT_NODE_REASON_FITS: NextNodeReason

class CaseProgress(_message.Message):
    __slots__ = ("case", "closed", "persons")
    CASE_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    PERSONS_FIELD_NUMBER: _ClassVar[int]
    case: str
    closed: bool
    persons: _containers.RepeatedCompositeFieldContainer[PersonProgress]
    def __init__(self, case: _Optional[str] = ..., closed: _Optional[bool] = ..., persons: _Optional[_Iterable[_Union[PersonProgress, _Mapping]]] = ...) -> None: ...

class PersonProgress(_message.Message):
    __slots__ = ("party", "display_name", "stage", "stage_since", "measure", "measure_since", "held", "held_since", "custodian", "authority", "open_exchanges", "next_nodes")
    PARTY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STAGE_SINCE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_SINCE_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    HELD_SINCE_FIELD_NUMBER: _ClassVar[int]
    CUSTODIAN_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    OPEN_EXCHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_NODES_FIELD_NUMBER: _ClassVar[int]
    party: str
    display_name: str
    stage: _case_pb2.ProcedureStage
    stage_since: _timestamp_pb2.Timestamp
    measure: _case_pb2.CustodyState
    measure_since: _timestamp_pb2.Timestamp
    held: bool
    held_since: _timestamp_pb2.Timestamp
    custodian: str
    authority: str
    open_exchanges: _containers.RepeatedCompositeFieldContainer[OpenExchange]
    next_nodes: _containers.RepeatedCompositeFieldContainer[NextNode]
    def __init__(self, party: _Optional[str] = ..., display_name: _Optional[str] = ..., stage: _Optional[_Union[_case_pb2.ProcedureStage, str]] = ..., stage_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., measure: _Optional[_Union[_case_pb2.CustodyState, str]] = ..., measure_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., held: _Optional[bool] = ..., held_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., custodian: _Optional[str] = ..., authority: _Optional[str] = ..., open_exchanges: _Optional[_Iterable[_Union[OpenExchange, _Mapping]]] = ..., next_nodes: _Optional[_Iterable[_Union[NextNode, _Mapping]]] = ...) -> None: ...

class OpenExchange(_message.Message):
    __slots__ = ("exchange", "node", "sender", "recipient", "state", "submit_time", "age_seconds", "answer_nodes")
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_NODES_FIELD_NUMBER: _ClassVar[int]
    exchange: str
    node: str
    sender: str
    recipient: str
    state: _exchange_pb2.ExchangeState
    submit_time: _timestamp_pb2.Timestamp
    age_seconds: int
    answer_nodes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, exchange: _Optional[str] = ..., node: _Optional[str] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., state: _Optional[_Union[_exchange_pb2.ExchangeState, str]] = ..., submit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., age_seconds: _Optional[int] = ..., answer_nodes: _Optional[_Iterable[str]] = ...) -> None: ...

class NextNode(_message.Message):
    __slots__ = ("node", "title_zh", "title_en", "from_organ", "to_organ", "reason", "because_node", "to_stage")
    NODE_FIELD_NUMBER: _ClassVar[int]
    TITLE_ZH_FIELD_NUMBER: _ClassVar[int]
    TITLE_EN_FIELD_NUMBER: _ClassVar[int]
    FROM_ORGAN_FIELD_NUMBER: _ClassVar[int]
    TO_ORGAN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_NODE_FIELD_NUMBER: _ClassVar[int]
    TO_STAGE_FIELD_NUMBER: _ClassVar[int]
    node: str
    title_zh: str
    title_en: str
    from_organ: str
    to_organ: str
    reason: NextNodeReason
    because_node: str
    to_stage: _case_pb2.ProcedureStage
    def __init__(self, node: _Optional[str] = ..., title_zh: _Optional[str] = ..., title_en: _Optional[str] = ..., from_organ: _Optional[str] = ..., to_organ: _Optional[str] = ..., reason: _Optional[_Union[NextNodeReason, str]] = ..., because_node: _Optional[str] = ..., to_stage: _Optional[_Union[_case_pb2.ProcedureStage, str]] = ...) -> None: ...
