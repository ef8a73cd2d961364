"""What a clean record becomes when the stations around it contradict it, or do so no more."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from schemas.codec import Record
from stream_app.judging.worth import Bar
from stream_app.neighbours.memory import Came
from weather.parameters import parameter_of
from weather.qc.flags import Flag, aggregate
from weather.ruleset import months_of
from weather.score import of_stream
from weather.score_policy import Policy

FIELD: Final = "flag_buddy"
DELETE: Final = "delete"
_WORDS: Final = {Flag.SUSPECT: "buddy_suspect", Flag.FAIL: "buddy"}
_NO_TEST: Final = (FIELD, "flag_metadata")
_BY_HAND: Final = ("by_hand:", "maintenance:")


def came(record: Record, message: bytes, partition: int) -> Came:
    """Take from a clean record what the test needs."""
    value = record[parameter_of(record["parameter"]).main.name]
    return Came(
        sensor=record["sensor_id"],
        at=record["observed_at"],
        value=_number(None if record["op"] == DELETE else value),
        usable=not _failed(record),
        latitude=_number(record["latitude"]),
        longitude=_number(record["longitude"]),
        elevation=_number(record["elevation"]),
        version=(record["source_version"], record["revision"]),
        said=record[FIELD],
        message=message,
        partition=partition,
        ruleset=record["ruleset_version"],
        month=int(months_of(np.array([record["observed_local"]]))[0]),
    )


def said(record: Record, flag: int, revision: int, now: int, bar: Bar) -> Record:
    """Give a record as it stands with another flag of its neighbours.

    ``record`` is the one that stood before the agent said anything, or what is left of it. What a
    person says stands above it, as above every test.
    """
    record = _unspoken(record)
    made = {**record, FIELD: flag, "revision": revision, "processed_at": now}
    if flag == Flag.NOT_EVALUATED or record["flag"] == Flag.MISSING or _by_hand(record):
        return made
    made["flag"] = int(aggregate(np.array([record["flag"]]), np.array([flag]))[0])
    score = _score(made)
    made["score"] = None if math.isnan(score) else score
    words = [*filter(None, (record["reason"] or "").split(",")), _WORDS[Flag(flag)]]
    if score < bar.threshold and bar.policy is not Policy.ALERT:
        words.append("low_score" if bar.policy is Policy.FLAG else "held")
        if bar.policy is Policy.HOLD:
            made[parameter_of(record["parameter"]).main.name] = None
    made["reason"] = ",".join(dict.fromkeys(words))
    return made


def _score(record: Record) -> float:
    flags = {n: np.array([record[n]]) for n in record if n.startswith("flag_")}
    return float(of_stream(np.array([record["flag"]]), flags)[0])


def _unspoken(record: Record) -> Record:
    """Take the agent's own word off a record: whoever began late knows no other of the reading."""
    if record[FIELD] == Flag.NOT_EVALUATED or _by_hand(record):
        return record
    tests = [v for n, v in record.items() if n.startswith("flag_") and n not in _NO_TEST]
    joined = int(aggregate(*(np.array([flag]) for flag in tests))[0])
    alone = record["flag_metadata"] == Flag.NOT_EVALUATED and joined == Flag.GOOD
    made = {**record, FIELD: int(Flag.NOT_EVALUATED)}
    made["flag"] = int(Flag.NOT_EVALUATED) if alone else joined
    score, words = _score(made), (record["reason"] or "").split(",")
    ours = {*_WORDS.values(), *(() if joined in (Flag.SUSPECT, Flag.FAIL) else ("low_score",))}
    made["reason"] = ",".join(word for word in words if word not in ours) or None
    made["score"] = None if math.isnan(score) else score
    return made


def _failed(record: Record) -> bool:
    """Say whether anybody but the agent itself has failed it."""
    tests = [v for n, v in record.items() if n.startswith("flag_") and n != FIELD]
    by_us = record[FIELD] == Flag.FAIL
    return Flag.FAIL in tests or (record["flag"] == Flag.FAIL and not by_us)


def _by_hand(record: Record) -> bool:
    return any(word.startswith(_BY_HAND) for word in (record["reason"] or "").split(","))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
