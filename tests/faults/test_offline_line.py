"""A line that was offline for days, then sends what it wrote over a connection that is cut at random: hub equals line.

Real store, outbox, TLS, hub and PostgreSQL; the days are simulated, so waiting takes none. On the way the hub is killed
and started again. The short form is a tenth of the 72 hours that `make soak` goes through.
"""

import contextlib
import itertools
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec
import psycopg
import pytest

from sorter.fleet.https_hub import HttpsHub
from sorter.fleet.hub_protocol import Trouble
from sorter.fleet.outbox import Outbox, OutboxState
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason, RefusalReason
from sorter.model.events import AnyEvent, EnergyUsed, FaultNoted, ItemDecided, ModeChanged, ModeTime, RecipeUsed
from sorter.model.settings import FleetSettings
from sorter.model.units import NS_PER_S, s_to_ns
from sorter.runtime.api_keys import Scope, make_api_key
from sorter.store.schema import FACTS_TABLE, TABLES
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

FARZ = [sys.executable, "-c", "from sorter.cli import main; main()"]
LINE = "north"
BEGIN_MS = 1_793_000_000_000  # some days before the end of a month, which the simulated days go beyond
ITEMS_PER_MIN = 60
RESYNC_SPEED = 10
# steps before the line's last minute, once all that came before it has begun to arrive
KILLED_AT = 12
CLASSES = ("pet_clear", "hdpe", "can", "residue")


class SimulatedDays:
    """What a line writes, minute by minute: belts of items, faults, restarts, and a wall clock that jumps."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._boot_number = 0
        self._wall_ms = BEGIN_MS
        self._begin_life()

    def minute(self) -> list[AnyEvent]:
        """The events of the next minute."""
        happening = self._chance.random()
        if happening < 0.004:
            self._begin_life()
        elif happening < 0.01:
            # set back by an hour, forth by two, or lost altogether until somebody sets it again
            self._wall_ms = self._chance.choice([self._wall_ms - 3_600_000, self._wall_ms + 7_200_000, 60_000])
        elif self._wall_ms < BEGIN_MS - 86_400_000:
            self._wall_ms = BEGIN_MS
        events: list[AnyEvent] = []
        if self._fresh:
            events = [self._recipe(), ModeChanged(mode=Mode.EXECUTE, reason="ready", recipe_hash="r1", **self._head())]
            self._fresh = False
        for _ in range(6):
            self._wall_ms += 10_000
            events += [self._item() for _ in range(ITEMS_PER_MIN // 6)]
            events.append(ModeTime(mode=Mode.EXECUTE, duration_ms=10_000, **self._head()))
        energy = {"source": "rapl", "energy_mj": 3_000_000, "air_ul": 90_000, "shot_count": 30}
        events.append(EnergyUsed(duration_ms=60_000, **energy, **self._head()))
        if self._chance.random() < 0.05:
            detail = "the picture is dark \N{WARNING SIGN}"
            events.append(FaultNoted(process="vision", code="dark", detail=detail, is_cleared=False, **self._head()))
        return events

    def _begin_life(self) -> None:
        self._boot_number += 1
        # names say nothing about their order
        self._boot_id = f"{self._chance.getrandbits(48):012x}"
        self._seq = itertools.count(1)
        self._fresh = True

    def _head(self) -> dict[str, Any]:
        return {"device_id": LINE, "boot_id": self._boot_id, "seq": next(self._seq), "at_ms": self._wall_ms}

    def _recipe(self) -> RecipeUsed:
        return RecipeUsed(
            recipe_hash="r1", name="day", classes=CLASSES, targets={"pet": ("pet_clear",)}, **self._head()
        )

    def _item(self) -> ItemDecided:
        head, chance = self._head(), self._chance
        name, share = chance.choice(CLASSES), round(chance.uniform(0.5, 1.0), 4)
        status = chance.choice([None, AckStatus.FIRED, AckStatus.REFUSED_LATE])
        return ItemDecided(
            track_id=head["seq"], decision_id=head["seq"], class_name=name, probability=share,
            class_probabilities={name: share, "other": round(1 - share, 4)}, view_count=4, x_um=chance.randrange(10**6),
            belt_um=chance.randrange(10**12), width_um=chance.randrange(10**5), length_um=chance.randrange(10**5),
            overlap_ratio=chance.random(), mass_g=chance.uniform(1, 400), mass_sd_g=chance.uniform(1, 90),
            reason=DecisionReason.EJECT if status else DecisionReason.UNKNOWN, station_id="pet" if status else None,
            ack_status=status, refusal=RefusalReason.LATE if status is AckStatus.REFUSED_LATE else None,
            placement_error_um=chance.randrange(-900, 900) if status is AckStatus.FIRED else None,
            frame_to_command_ms=chance.uniform(20, 90) if status else None, model_id="farz-n", recipe_hash="r1", **head,
        )  # fmt: skip


class Site(NamedTuple):
    """A line's store, its outbox, and the way to its hub."""

    writer: SqliteWriter
    outbox: Outbox
    proxy: Any
    path: Path
    dsn: str
    settings: FleetSettings
    hub: "HubProcess"


class HubProcess:
    """`farz hub`, which can be killed and started again."""

    def __init__(self, configuration: Path, port: int) -> None:
        self._configuration = configuration
        self._port = port
        self.process = self._started()

    def kill_and_start(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)
        self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([*FARZ, "hub", "--config", self._configuration])
        wait_until_served(self._port, process)
        return process


@pytest.fixture
def site(
    tmp_path: Path, postgres_dsn: str, certificate: tuple[Path, Path], cutting_proxy: Callable[..., Any]
) -> Iterator[Site]:
    chain, private = certificate
    keys_file, key_file, path = tmp_path / "keys.json", tmp_path / "key", tmp_path / "events.sqlite"
    key_file.write_text(make_api_key(keys_file, LINE, [Scope.FLEET])[1])
    port = free_port()
    configuration = tmp_path / "hub.toml"
    configuration.write_text(
        f"[hub]\nport = {port}\ndatabase = '{postgres_dsn}'\nwriter_count = 2\n"
        f"certificate_file = '{chain}'\ncertificate_key_file = '{private}'\n[api]\nkeys_file = '{keys_file}'\n"
    )
    hub_process = HubProcess(configuration, port)
    proxy = cutting_proxy(port, seed=7)
    fleet = FleetSettings(f"https://127.0.0.1:{proxy.port}", str(key_file), str(chain), timeout_s=10.0)
    writer, hub = SqliteWriter(path), HttpsHub(fleet)
    reader = SqliteReader(path)
    yield Site(writer, Outbox(LINE, reader, hub, seed=3), proxy, path, postgres_dsn, fleet, hub_process)
    hub.close()
    reader.close()
    writer.close()
    hub_process.process.terminate()
    assert hub_process.process.wait(timeout=20) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_served(port: int, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while serving.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    pytest.fail("the hub did not start")


def go_offline(site: Site, days: SimulatedDays, minute_count: int) -> int:
    """Write for so many simulated minutes without a hub; the virtual instant at which they are over."""
    site.proxy.is_down = True
    due_ns = now_ns = 0
    for _ in range(minute_count):
        site.writer.record(days.minute())
        now_ns += 60 * NS_PER_S
        while due_ns <= now_ns:
            due_ns = site.outbox.step(due_ns)
            assert site.outbox.failure is not None
            assert site.outbox.failure.trouble is Trouble.UNREACHABLE
    assert site.outbox.figures.sent_count == 0
    return now_ns


def resync(site: Site, days: SimulatedDays, now_ns: int) -> float:
    """Let the hub be reachable, the line going on meanwhile; seconds until it holds all, waited and worked together."""
    site.proxy.is_down = False
    began_ns, began_s = now_ns, time.monotonic()
    goes_on_for = 20
    while site.outbox.state is not OutboxState.EMPTY or goes_on_for:
        is_killed_now = goes_on_for == KILLED_AT
        if is_killed_now:
            # while it has a batch in hand, on most machines
            threading.Timer(0.05, site.hub.process.kill).start()
        if goes_on_for:
            site.writer.record(days.minute())
            goes_on_for -= 1
        now_ns = max(now_ns, site.outbox.step(now_ns))
        if is_killed_now:
            site.hub.kill_and_start()
    return (now_ns - began_ns) / NS_PER_S + time.monotonic() - began_s


def assert_hub_equals_line(site: Site) -> int:
    """Row for row in every table, sums included; how many rows there are."""
    row_count = 0
    line = apsw.Connection(str(site.path), flags=apsw.SQLITE_OPEN_READONLY)
    with psycopg.connect(site.dsn) as hub:
        for table in TABLES:
            if table is FACTS_TABLE:  # what each store knows of itself
                continue
            statement = f"SELECT {', '.join(table.column_names)} FROM {table.name}"
            here, there = list(line.execute(statement)), hub.execute(statement.encode()).fetchall()
            assert len(here) == len(there), table.name
            assert set(here) == set(there), table.name
            row_count += len(here)
    line.close()
    return row_count


def campaign(site: Site, offline_h: float) -> None:
    days = SimulatedDays(seed=11)
    now_ns = go_offline(site, days, round(offline_h * 60))
    resync_s = resync(site, days, now_ns)
    row_count = assert_hub_equals_line(site)
    assert row_count > offline_h * 60 * ITEMS_PER_MIN
    assert site.proxy.cut_count > 3, "the connection was hardly cut"
    assert site.outbox.figures.missing_count == 0
    assert site.outbox.figures.refused_count == 0
    speed = s_to_ns(offline_h * 3600) / s_to_ns(resync_s)
    figures = site.outbox.figures
    print(
        f"{offline_h} h offline, {figures.sent_count} events in {figures.batch_count} batches, {site.proxy.cut_count} "
        f"cuts, {resync_s:.0f} s until the hub had all: {speed:.0f} times real time"
    )
    assert speed >= RESYNC_SPEED


def test_hub_equals_line_after_hours_offline_and_a_connection_that_is_cut(site: Site) -> None:
    campaign(site, 7.2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_hub_equals_line_after_three_days_offline_and_a_connection_that_is_cut(site: Site) -> None:
    campaign(site, 72.0)


def test_a_wrong_key_sends_nothing_and_a_right_one_sends_all(site: Site, tmp_path: Path) -> None:
    site.writer.record(SimulatedDays(seed=5).minute())
    other = make_api_key(tmp_path / "keys.json", "south", [Scope.FLEET])[1]
    for number, wrong in enumerate(("farz_000000000000_" + "x" * 43, other, "nonsense")):
        key_file = tmp_path / f"wrong{number}"
        key_file.write_text(wrong)
        hub = HttpsHub(msgspec.structs.replace(site.settings, key_file=str(key_file)))
        with contextlib.closing(hub), contextlib.closing(SqliteReader(site.path)) as reader:
            outbox, troubles, now_ns = Outbox(LINE, reader, hub, seed=1), set(), 0
            for _ in range(12):
                now_ns = outbox.step(now_ns)
                troubles.add(outbox.failure.trouble if outbox.failure else None)
        assert Trouble.REFUSED_KEY in troubles
        assert outbox.figures.sent_count == 0
    resync(site, SimulatedDays(seed=6), 0)
    assert_hub_equals_line(site)
