"""Rulesets while the stream runs: each judges what was observed in its time, whenever told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.errors import DataQuality
from schemas.codec import Decoder, Encoder
from schemas.rulesets import PublishedRuleset, same_limits, usable
from stream_app.again.form import Change, changes, form_of
from stream_app.metadata.sensors import LAST
from stream_app.rulesets.table import Rulesets
from tests.again_model import Model
from tests.raw_batches import Schemas
from tests.unit.test_stream_again_rounds import MINUTE, START, reading
from weather.limits import Span
from weather.ruleset import ALWAYS, DEFAULT, Ruleset
from weather.ruleset_history import RulesetHistory
from weather.ruleset_text import to_plain


def strict(minute: int, version: str = "strict", most: float = 20.4) -> Ruleset:
    """Give rules by which more is suspect than `most`, from a minute on."""
    limits = replace(DEFAULT.limits["temperature", "value"], suspect=Span(-10.0, most))
    return replace(
        DEFAULT,
        version=version,
        limits={**DEFAULT.limits, ("temperature", "value"): limits},
        valid_from=START + minute * MINUTE,
    )


def model() -> Model:
    """Give a partition that is to read half an hour: 20.0, 20.3 and 20.6 degrees in turn."""
    return Model([reading("temperature", m, 20 + m % 3 * 0.3) for m in range(30)], most=50)


def judged(found: Model) -> list[tuple[str, int]]:
    """Give version and range flag of each minute."""
    records = sorted(found.final().values(), key=lambda record: record["observed_at"])
    return [(record["ruleset_version"], record["flag_range"]) for record in records]


FROM_TEN = [("strict", 3 if m % 3 == 2 else 1) if m >= 10 else ("default-4", 1) for m in range(30)]


@pytest.mark.requirement("B6", "D9")
@pytest.mark.parametrize("first", [0, 7, 17, 30])
def test_every_reading_is_judged_by_the_rules_of_its_time_and_names_them(first: int) -> None:
    found = model()
    found.batch(first)
    found.table.publish(strict(10))
    found.finish()
    assert judged(found) == FROM_TEN


@pytest.mark.requirement("B6")
def test_one_batch_may_be_judged_by_several() -> None:
    found = model()
    for ruleset in (strict(20, "later", 50.0), strict(10)):
        found.table.publish(ruleset)
    found.batch(30)
    assert judged(found) == [*FROM_TEN[:20], *[("later", 1)] * 10]


@pytest.mark.requirement("B6")
def test_rules_that_move_to_another_time_concern_what_lies_between() -> None:
    found = model()
    found.table.publish(strict(10))
    found.batch(30)
    found.table.publish(strict(22))
    found.finish()
    assert judged(found) == [("default-4", 1)] * 22 + FROM_TEN[22:]


def test_rules_of_a_time_to_come_send_nothing_again() -> None:
    found = model()
    found.batch(30)
    found.finish()
    before = len(found.sent)
    found.table.publish(strict(60))
    found.finish()
    assert len(found.sent) == before


def test_of_two_from_one_time_the_later_told_stands_and_a_dropped_one_is_as_if_never_told() -> None:
    table = Rulesets(strict(10), strict(10, "second"))
    assert table.history.at(START + 10 * MINUTE).version == "second"
    table.put(strict(10))
    assert table.history.at(START + 10 * MINUTE).version == "strict"
    table.drop("strict")
    table.drop("second")
    assert table.history.rulesets == (DEFAULT,)


def test_rules_change_values_and_verdicts_from_their_time_on() -> None:
    history = RulesetHistory([strict(10)])
    (found,) = changes(form_of(None), form_of(None, history))
    assert found == Change(START + 10 * MINUTE, LAST, valued=True)
    assert changes(form_of(None, history), form_of(None, history)) == []


def test_what_is_published_comes_back_as_it_was() -> None:
    schemas = Schemas()
    encode = Encoder("ruleset", schemas.id_of("", "ruleset"))
    decode = Decoder("ruleset", schemas.schema_of)
    for ruleset in (strict(10), replace(DEFAULT, version="mine", valid_from=ALWAYS)):
        published = PublishedRuleset(ruleset, "anna", "spring", 7)
        found = PublishedRuleset.of_record(decode(encode(published.to_record())))
        assert (found.by, found.why, found.at) == ("anna", "spring", 7)
        assert found.ruleset.valid_from == ruleset.valid_from
        assert same_limits(found.ruleset, ruleset)
    assert not same_limits(strict(10), DEFAULT)


def test_rules_that_leave_a_measure_out_are_refused_since_the_stream_could_not_judge_it() -> None:
    plain = to_plain(DEFAULT)
    del plain["limits"]["wind.gust"]
    with pytest.raises(ValueError, match=r"limits has nothing for wind\.gust"):
        usable(plain)
    with pytest.raises(ValueError, match="no object"):
        usable([])
    record = PublishedRuleset(DEFAULT, "anna", None, 0).to_record()
    with pytest.raises(DataQuality, match="default-4 cannot be used"):
        PublishedRuleset.of_record({**record, "document": "{"})
