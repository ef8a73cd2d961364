"""Settings of the stream: the section ``stream``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from weather.corrections import Correction, without
from weather.score_policy import QUALITY_THRESHOLD, Policy


def _of_a_correction(name: str) -> str:
    without([name])
    return name


class StreamSettings(BaseModel):
    """How one worker of the stream runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str = "aos-stream"
    """Consumer group; with a partition number it makes the id that fences zombies."""

    instance: str = ""
    """Static membership: restarted under the same name, a worker gets its partitions at once."""

    generation: int = Field(default=0, ge=0, lt=2**20)
    """Raised by a promoted replay or a new partition count: its revisions win over all before."""

    processing_guarantee: Literal["exactly_once", "at_least_once"] = "exactly_once"
    """One transaction for each batch; or delivery first and offsets behind, so that a crash repeats
    a batch."""

    batch_records: int = Field(default=18_000, ge=1)
    """Most records of a batch: what one fetch round brings for one partition number. A batch costs
    some milliseconds however small it is; one of so many is only met in a backlog."""

    batch_bytes: int = Field(default=8 << 20, ge=1)
    """Most bytes of a batch, to within a helping of 2,000 records."""

    buffered_batches: int = Field(default=2, ge=1)
    """Most batches of a partition that are worked on or wait; more are not fetched. A worker with
    three partitions or more holds one of each, since others fill the time of a commit."""

    recent_bytes: int = Field(default=2 << 20, ge=0)
    """Bytes of raw records kept for each partition: their verdict may yet change."""

    fetch_bytes: int = Field(default=1 << 18, ge=1)
    """Most (compressed) bytes of one topic partition in an answer of the broker."""

    most_fetched_bytes: int = Field(default=4 << 20, ge=1)
    """Most (compressed) bytes of an answer of the broker."""

    session_timeout_seconds: float = Field(default=15.0, gt=3)
    transaction_timeout_seconds: float = Field(default=20.0, gt=1)
    future_tolerance_seconds: float = Field(default=300.0, ge=0)
    """How far ahead of its extraction a reading may claim to be before its time is suspect."""

    clean_data: bool = True
    """Whether readings are corrected; if not they are judged as they stand, in standard units."""

    corrections_off: tuple[Annotated[str, AfterValidator(_of_a_correction)], ...] = ()
    """Corrections that are not made, by the names they have on a reading."""

    validate_data: bool = True
    """Whether readings are judged; if not, all flags are 2, or 9 where a reading is missing."""

    quality_threshold: float = Field(default=QUALITY_THRESHOLD, ge=0, le=1)
    """The score below which something happens to a reading."""

    quality_policy: Policy = Policy.FLAG
    """What happens: it is marked (flag), its value is held back (hold), it is counted (alert)."""

    silence_cadences: float = Field(default=3.0, gt=1)
    """A sensor is silent once nothing has come for so many times its usual wait."""

    silence_floor_seconds: float = Field(default=300.0, gt=0)
    """And never before."""

    silence_check_seconds: float = Field(default=5.0, gt=0)
    """How often a partition is looked at for silent sensors, also while nothing comes."""

    again_records_per_second: int = Field(default=10_000, ge=10)
    """Raw records that a partition reads again, at most, when metadata has changed."""

    neighbours: bool = False
    """Whether this process is the second agent instead of a worker: it reads the clean topics, and
    sends readings again that the stations around contradict."""

    neighbours_readings: int = Field(default=50_000, ge=100)
    """Clean readings of a parameter that it remembers; of each it keeps the record."""

    metrics_host: str = Field(default="127.0.0.1", min_length=1)
    """Where Prometheus finds this stage: loopback, so another host only where this says so."""

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Its port for Prometheus; 0 takes a free one, none serves nothing."""

    @property
    def corrections(self) -> Correction:
        """The corrections that are made."""
        return without(self.corrections_off) if self.clean_data else Correction(0)
