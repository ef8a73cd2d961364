"""Apache Kafka: one KRaft node, broker and controller in one process."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
import uuid
from typing import ClassVar, Final

from devstack.fetch_maven import KAFKA_LOCK, jar_paths
from devstack.java import java
from devstack.process import Command
from devstack.server import Server, exchange
from devstack.state import LOOPBACK
from runtime.errors import System

_HEAP_MEGABYTES: Final = 256

# One node carries everything, so every internal topic has one replica, and few partitions, each
# of which costs time at start. The group coordinator's lower bounds let tests see a dead member
# soon; transactions that outlived their producer are aborted within a second.
_SETTINGS: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=BROKER://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=BROKER://{host}:{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
log.dirs={data}

auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# A killed broker is let in again only when the session of its former self has run out.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2500

group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=300

# The cleaner's table of keys: its default takes half of our heap.
log.cleaner.dedupe.buffer.size=16777216
"""

_LOGGING: Final = """\
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd HH:mm:ss,SSS} %p %m (%c)%n
"""

# ApiVersions, version 0: length, key 18, version 0, correlation id 7, no client id.
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 7, -1)
_ANSWER: Final = struct.Struct(">iih")


class Kafka(Server):
    """The broker."""

    name: ClassVar[str] = "kafka"
    port_names: ClassVar[tuple[str, ...]] = ("kafka", "kafka-controller")

    def has_data(self) -> bool:
        """Tell whether the log directory was formatted."""
        return (self.data / "meta.properties").exists()

    def prepare(self) -> None:
        """Write the settings; format the log directory when it is new.

        A killed broker needs no mending: its lock goes with it, its log recovers.
        """
        self.conf.mkdir(parents=True, exist_ok=True)
        (self.conf / "kafka.properties").write_text(self.settings(), encoding="utf-8")
        (self.conf / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")
        if not self.has_data():
            self._format()

    def settings(self) -> str:
        """Give the contents of ``kafka.properties``."""
        controller = self.place.ports["kafka-controller"]
        return _SETTINGS.format(
            host=LOOPBACK, broker=self.port, controller=controller, data=self.data
        )

    def command(self) -> Command:
        """Start the broker."""
        return Command(
            self._java("kafka.Kafka", str(self.conf / "kafka.properties")), cwd=self.log.parent
        )

    def answers(self) -> bool:
        """Ask which requests it knows: it answers only once it is registered and unfenced."""
        answer = exchange(self.port, _API_VERSIONS, _ANSWER.size)
        return len(answer) == _ANSWER.size and _ANSWER.unpack(answer)[1:] == (7, 0)

    def _java(self, *arguments: str) -> list[str]:
        classpath = ":".join(map(str, jar_paths(KAFKA_LOCK, self.place.cache)))
        logging = f"-Dlog4j2.configurationFile={self.conf / 'log4j2.properties'}"
        return java(_HEAP_MEGABYTES, logging, "-cp", classpath, *arguments)

    def _format(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a format that was cut short
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        settings = str(self.conf / "kafka.properties")
        named = f"--cluster-id={cluster}"  # one of 64 begins with a hyphen
        command = self._java("kafka.tools.StorageTool", "format", named, "-c", settings)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            problem = f"{self.data} could not be formatted for Kafka: {done.stdout}{done.stderr}"
            raise System(problem, mend="see whether the disk is full or the directory not writable")
