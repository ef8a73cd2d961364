"""Writing down what was judged: columns and metadata become messages of the clean schemas.

What is constant for a sensor stands first in these schemas, up to ``op``; it is encoded once for
each head and placement, and the bytes serve every reading that shares them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import fastavro
import numpy as np

from schemas.avsc import load
from schemas.codec import Record
from schemas.columnar import Column, Integers, Mask, Numbers, Strings, packed
from schemas.columnar_encoding import ColumnarEncoder, constant, strings_of
from schemas.framing import frame
from schemas.topics import clean_schema
from stream_app.judging.heads import head_schema
from stream_app.judging.judged import Judged, range_field
from stream_app.judging.origins import Origin, Origins
from stream_app.judging.worth import USUAL, Bar, Worth, worth
from stream_app.overrides.applying import spoken
from weather.arrays import Flags, Floats
from weather.corrections import describe
from weather.derived import wind_components
from weather.parameters import parameter_of
from weather.qc.flags import FAIL, GOOD, MISSING, NOT_EVALUATED, SUSPECT
from weather.score_policy import Policy

_FIRST: Final = "interval_start"
_LOW: Final = {Policy.FLAG: "low_score", Policy.HOLD: "held"}
_WORDS: Final = ((SUSPECT, "range_suspect"), (FAIL, "range"))


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
        heads = self._heads_of(judged.origins)
        return self._encode.strings(heads.take(judged.origin), columns)

    def _heads_of(self, origins: Origins) -> Strings:
        if origins.clean is None:
            origins.clean = packed([self._head_of(origin) for origin in origins])
        return origins.clean

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
    odd = np.flatnonzero(flag != GOOD)  # of the others, which are most, there is nothing to say
    findings = _findings(judged, flags, flag, found, policy, odd) if len(odd) else ()
    codes = _Codes.of(len(flag), odd, findings)
    yield "reason", _reasons(codes, flag, gone, *spoken(judged.hands, judged.origin))
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
    return Numbers(flags if gone is None else np.where(gone, NOT_EVALUATED, flags))


def _nullable(values: Floats, gone: Mask | None) -> Numbers:
    there = ~np.isnan(values)
    return Numbers(values, there if gone is None else there & ~gone)


def _corrections(judged: Judged, gone: Mask | None) -> Strings:
    bits = judged.corrections if gone is None else np.where(gone, 0, judged.corrections)
    return _worded(bits.astype(np.int64), lambda found: describe(np.array(found)))


class _Codes(NamedTuple):
    """What was found of readings: a bit for each of the words."""

    words: list[str]
    code: Integers

    @classmethod
    def of(cls, count: int, odd: Integers, findings: Iterable[tuple[str, Mask]]) -> _Codes:
        """Number what was found of ``odd`` ones among so many."""
        words, told = list[str](), np.zeros(len(odd), np.int64)
        for word, holds in findings:
            if holds.any():
                told |= holds.astype(np.int64) << len(words)
                words.append(word)
        code = np.zeros(count, np.int64)
        code[odd] = told
        return cls(words, code)


def _reasons(
    codes: _Codes, flag: Flags, gone: Mask | None, said: list[str], by_hand: Integers
) -> Strings:
    """Say why readings are not good; a number for each set of reasons, worded once.

    ``said`` is what people say, and ``by_hand`` which of it they say of each reading.
    """
    words, code = codes
    if gone is not None:
        code[gone] = 1 << len(words)
        words.append("deleted")
    if len(said) > 1:
        unheard = (flag == MISSING) if gone is None else (flag == MISSING) | gone
        code |= np.where(unheard, 0, by_hand) << len(words)
    return _worded(code, lambda found: [_joined(words, said, one) for one in found])


def _findings(
    judged: Judged,
    flags: Mapping[str, Flags],
    flag: Flags,
    found: Worth,
    policy: Policy,
    odd: Integers,
) -> Iterator[tuple[str, Mask]]:
    """Give each reason why a reading is not good, and of which odd ones it holds, as it is told."""
    yield "missing", flag[odd] == MISSING
    for name, measure in judged.measures.items():
        ranges = measure.flag_range[odd]
        for verdict, word in _WORDS:
            yield word if name == "value" else f"{name}_{word}", ranges == verdict
    for field, column in flags.items():
        told = column[odd]
        yield field.removeprefix("flag_") + "_suspect", told == SUSPECT
        yield field.removeprefix("flag_"), told == FAIL
    yield from _of_time(judged, odd)
    yield "calibration_expired", judged.flag_calibration[odd] == SUSPECT
    if judged.health is not None:
        yield "unwell", judged.health[odd] == FAIL
    yield "no_metadata", judged.flag_metadata[odd] == NOT_EVALUATED
    if policy in _LOW:
        yield _LOW[policy], found.low[odd]


def _of_time(judged: Judged, odd: Integers) -> Iterator[tuple[str, Mask]]:
    doubtful, ahead = judged.flag_time[odd] == SUSPECT, judged.in_future[odd]
    yield "time_in_future", doubtful & ahead
    never = doubtful & ~ahead
    if judged.late is not None:
        late = judged.late[odd]
        yield "late", doubtful & late
        never &= ~late
    yield "time_never_was", never


def _joined(words: list[str], said: list[str], code: int) -> str | None:
    """Put what people say before what was found."""
    found = (word for bit, word in enumerate(words) if code >> bit & 1)
    return ",".join(filter(None, (said[code >> len(words)], *found))) or None


def _worded(codes: Integers, words_of: Callable[[list[int]], Sequence[str | None]]) -> Strings:
    """Make a column of strings from one of codes: each code is worded once."""
    odd = np.flatnonzero(codes)
    which = np.zeros(len(codes), np.int64)
    if not len(odd):
        return strings_of([None]).take(which)
    found, which[odd] = np.unique(codes[odd], return_inverse=True)
    which[odd] += 1
    return strings_of([None, *words_of(found.tolist())]).take(which)
