import datetime

from casemesh.common.v1 import field_rules_pb2 as _field_rules_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SingleTrackState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SINGLE_TRACK_STATE_UNSPECIFIED: _ClassVar[SingleTrackState]
    SINGLE_TRACK_STATE_PROPOSED: _ClassVar[SingleTrackState]
    SINGLE_TRACK_STATE_AGREED: _ClassVar[SingleTrackState]
    SINGLE_TRACK_STATE_ENDED: _ClassVar[SingleTrackState]
SINGLE_TRACK_STATE_UNSPECIFIED: SingleTrackState
SINGLE_TRACK_STATE_PROPOSED: SingleTrackState
SINGLE_TRACK_STATE_AGREED: SingleTrackState
SINGLE_TRACK_STATE_ENDED: SingleTrackState

class SingleTrack(_message.Message):
    __slots__ = ("name", "node", "sender", "recipient", "effective_from", "state", "propose_time", "agree_time", "end_time", "basis")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    AGREE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    name: str
    node: str
    sender: str
    recipient: str
    effective_from: _date_pb2.Date
    state: SingleTrackState
    propose_time: _timestamp_pb2.Timestamp
    agree_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    basis: str
    def __init__(self, name: _Optional[str] = ..., node: _Optional[str] = ..., sender: _Optional[str] = ..., recipient: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., state: _Optional[_Union[SingleTrackState, str]] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agree_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., basis: _Optional[str] = ...) -> None: ...

class ProposeSingleTrackRequest(_message.Message):
    __slots__ = ("request_id", "node", "recipient", "effective_from", "basis")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    node: str
    recipient: str
    effective_from: _date_pb2.Date
    basis: str
    def __init__(self, request_id: _Optional[str] = ..., node: _Optional[str] = ..., recipient: _Optional[str] = ..., effective_from: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., basis: _Optional[str] = ...) -> None: ...

class ProposeSingleTrackResponse(_message.Message):
    __slots__ = ("single_track",)
    SINGLE_TRACK_FIELD_NUMBER: _ClassVar[int]
    single_track: SingleTrack
    def __init__(self, single_track: _Optional[_Union[SingleTrack, _Mapping]] = ...) -> None: ...

class AgreeSingleTrackRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class AgreeSingleTrackResponse(_message.Message):
    __slots__ = ("single_track",)
    SINGLE_TRACK_FIELD_NUMBER: _ClassVar[int]
    single_track: SingleTrack
    def __init__(self, single_track: _Optional[_Union[SingleTrack, _Mapping]] = ...) -> None: ...

class EndSingleTrackRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class EndSingleTrackResponse(_message.Message):
    __slots__ = ("single_track",)
    SINGLE_TRACK_FIELD_NUMBER: _ClassVar[int]
    single_track: SingleTrack
    def __init__(self, single_track: _Optional[_Union[SingleTrack, _Mapping]] = ...) -> None: ...

class ListSingleTracksRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSingleTracksResponse(_message.Message):
    __slots__ = ("single_tracks", "next_page_token")
    SINGLE_TRACKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    single_tracks: _containers.RepeatedCompositeFieldContainer[SingleTrack]
    next_page_token: str
    def __init__(self, single_tracks: _Optional[_Iterable[_Union[SingleTrack, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
