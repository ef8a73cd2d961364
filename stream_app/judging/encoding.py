"""Writing down what was judged: columns and metadata become messages of the clean schemas.

What is constant for a sensor stands first in these schemas, up to ``op``; it is encoded once for
each head and placement, and the bytes serve every reading that shares them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import fastavro
import numpy as np

from schemas.avsc import load
from schemas.codec import Record
from schemas.columnar import Column, Integers, Mask, Numbers, Strings, packed
from schemas.columnar_encoding import ColumnarEncoder, constant, strings_of
from schemas.framing import frame
from schemas.topics import clean_schema
from stream_app.judging.heads import head_schema
from stream_app.judging.judged import Judged, Origin, range_field
from stream_app.judging.worth import USUAL, Bar, Worth, worth
from stream_app.overrides.applying import spoken
from weather.arrays import Flags, Floats
from weather.corrections import describe
from weather.derived import wind_components
from weather.parameters import parameter_of
from weather.qc.flags import Flag
from weather.score_policy import Policy

_FIRST: Final = "interval_start"
_LOW: Final = {Policy.FLAG: "low_score", Policy.HOLD: "held"}
_WORDS: Final = ((Flag.SUSPECT, "range_suspect"), (Flag.FAIL, "range"))


class CleanEncoder:
    """Encodes clean readings of one parameter that come from one raw topic partition."""

    def __init__(
        self,
        parameter: str,
        schema_id: int,
        raw_topic: str,
        raw_partition: int,
        bar: Bar = USUAL,
    ) -> None:
        schema = load(clean_schema(parameter))
        self._head = fastavro.parse_schema(head_schema(schema, _FIRST))
        self._encode = ColumnarEncoder(schema, _FIRST)
        self._fields = [f for f in schema["fields"] if "default" in f]
        self._frame = frame(schema_id)
        self._bar = bar
        self._constant = {
            "parameter": parameter,
            "unit": parameter_of(parameter).main.unit,
            "raw_topic": raw_topic,
            "raw_partition": raw_partition,
        }

    def __call__(
        self,
        judged: Judged,
        flags: Mapping[str, Flags],
        revision: int,
        now: int,
        found: Worth | None = None,
    ) -> Strings:
        """Give a message for each reading.

        ``flags`` are those of tests that look at neighbours, by field; ``revision`` is that of
        the batch; ``now`` (UTC micros) becomes the processing time; ``found`` is what they are
        worth, where that is known already.
        """
        count = len(judged.utc)
        found = found or worth(judged, flags, self._bar)
        columns = dict(_columns(judged, flags, found, self._bar.policy))
        columns |= {"revision": _revisions(judged, revision), "processed_at": constant(now, count)}
        for field in self._fields:
            columns.setdefault(field["name"], constant(field["default"], count))
        heads = packed([self._head_of(origin) for origin in judged.origins])
        return self._encode.strings(heads.take(judged.origin), columns)

    def _head_of(self, origin: Origin) -> bytes:
        head, placement, ruleset = origin
        if head.clean_placement is not placement or head.clean_ruleset != ruleset:
            head.clean = self._made(origin)
            head.clean_placement, head.clean_ruleset = placement, ruleset
        return head.clean

    def _made(self, origin: Origin) -> bytes:
        raw = origin.head.record
        record: Record = {
            **self._constant,
            **origin.placement.fields,
            "ruleset_version": origin.ruleset,
            "station_id": raw["station_id"],
            "sensor_id": raw["sensor_id"],
            "source_name": raw["source"],
            "source_rank": raw["source_rank"],
            "source_table": raw["source_table"],
            "mapping_version": raw["mapping_version"],
            "op": raw["op"],
        }
        out = io.BytesIO()
        out.write(self._frame)
        fastavro.schemaless_writer(out, self._head, record)
        return out.getvalue()


def _columns(
    judged: Judged, flags: Mapping[str, Flags], found: Worth, policy: Policy
) -> Iterator[tuple[str, Column]]:
    gone, flag = judged.deleted if judged.deleted.any() else None, found.flag
    kept_back = (found.held if gone is None else found.held | gone) if found.held.any() else gone
    yield "interval_start", Numbers(judged.utc - judged.interval)
    yield "observed_at", Numbers(judged.utc)
    yield "flag", _flags(flag, gone)
    yield "flag_time", Numbers(judged.flag_time)
    yield "flag_metadata", Numbers(judged.flag_metadata)
    yield "flag_calibration", _flags(judged.flag_calibration, gone)
    if judged.health is not None:
        yield "flag_health", _flags(judged.health, gone)
    yield "score", _nullable(found.score, gone)
    findings = [*_findings(judged, flags, flag), *_low(found, policy)]
    yield "reason", _reasons(flag, gone, findings, *spoken(judged.hands, judged.origin))
    yield "corrections", _corrections(judged, gone)
    yield "observed_local", Numbers(judged.local)
    yield "source_key", judged.source_key
    yield "source_version", Numbers(judged.version)
    yield "raw_offset", Numbers(judged.offsets)
    yield "extracted_at", Numbers(judged.extracted)
    for name, measure in judged.measures.items():
        yield name, _nullable(measure.value, kept_back)
        yield f"raw_{name}", _nullable(measure.raw_value, gone)
        yield range_field(name), _flags(measure.flag_range, gone)
    for field, column in flags.items():
        yield field, _flags(column, gone)
    if "direction" in judged.measures:
        wind = wind_components(judged.measures["speed"].value, judged.measures["direction"].value)
        yield "eastward", _nullable(wind[0], kept_back)
        yield "northward", _nullable(wind[1], kept_back)


def _revisions(judged: Judged, revision: int) -> Column:
    if not judged.behind.any():
        return constant(revision, len(judged.behind))
    return Numbers(revision - judged.behind)


def _flags(flags: Flags, gone: Mask | None) -> Numbers:
    """Take the judgement off a deletion: it says only that the reading is gone."""
    return Numbers(flags if gone is None else np.where(gone, Flag.NOT_EVALUATED, flags))


def _nullable(values: Floats, gone: Mask | None) -> Numbers:
    there = ~np.isnan(values)
    return Numbers(values, there if gone is None else there & ~gone)


def _corrections(judged: Judged, gone: Mask | None) -> Strings:
    bits = judged.corrections if gone is None else np.where(gone, 0, judged.corrections)
    return _worded(bits.astype(np.int64), lambda found: describe(np.array(found)))


def _reasons(
    flag: Flags,
    gone: Mask | None,
    findings: Iterable[tuple[str, Mask]],
    said: list[str],
    by_hand: Integers,
) -> Strings:
    """Say why readings are not good; a number for each set of reasons, worded once.

    ``said`` is what people say, and ``by_hand`` which of it they say of each reading.
    """
    words: list[str] = []
    code = np.zeros(len(flag), np.int64)
    for word, holds in findings:
        if holds.any():
            code |= holds.astype(np.int64) << len(words)
            words.append(word)
    code[flag == Flag.GOOD] = 0
    if gone is not None:
        code[gone] = 1 << len(words)
        words.append("deleted")
    if len(said) > 1:
        unheard = (flag == Flag.MISSING) if gone is None else (flag == Flag.MISSING) | gone
        code |= np.where(unheard, 0, by_hand) << len(words)
    return _worded(code, lambda found: [_joined(words, said, one) for one in found])


def _findings(
    judged: Judged, flags: Mapping[str, Flags], flag: Flags
) -> Iterator[tuple[str, Mask]]:
    """Give each reason why a reading is not good, and where it holds, in the order of telling."""
    yield "missing", flag == Flag.MISSING
    for name, measure in judged.measures.items():
        for found, word in _WORDS:
            yield word if name == "value" else f"{name}_{word}", measure.flag_range == found
    for field, column in flags.items():
        for found, told in ((Flag.SUSPECT, "_suspect"), (Flag.FAIL, "")):
            yield field.removeprefix("flag_") + told, column == found
    doubtful = judged.flag_time == Flag.SUSPECT
    yield "time_in_future", doubtful & judged.in_future
    never = doubtful & ~judged.in_future
    if judged.late is not None:
        yield "late", doubtful & judged.late
        never &= ~judged.late
    yield "time_never_was", never
    yield "calibration_expired", judged.flag_calibration == Flag.SUSPECT
    if judged.health is not None:
        yield "unwell", judged.health == Flag.FAIL
    yield "no_metadata", judged.flag_metadata == Flag.NOT_EVALUATED


def _low(found: Worth, policy: Policy) -> Iterator[tuple[str, Mask]]:
    if policy in _LOW:
        yield _LOW[policy], found.low


def _joined(words: list[str], said: list[str], code: int) -> str | None:
    """Put what people say before what was found."""
    found = (word for bit, word in enumerate(words) if code >> bit & 1)
    return ",".join(filter(None, (said[code >> len(words)], *found))) or None


def _worded(codes: Integers, words_of: Callable[[list[int]], Sequence[str | None]]) -> Strings:
    """Make a column of strings from one of codes: each code is worded once."""
    if not codes.any():
        return strings_of([None]).take(codes)
    found, which = np.unique(codes, return_inverse=True)
    return strings_of(words_of(found.tolist())).take(which)
