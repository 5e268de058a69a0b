"""What a process says of itself: its health names the faults that stand, for whoever began to listen later."""

from pathlib import Path

import msgspec
import pytest

from sorter.model.condition import Fault, Health, HealthStatus
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_S
from sorter.runtime.clock import ManualClock
from sorter.runtime.process import ProcessContext
from sorter.runtime.run_folder import create_run_folder


def test_health_names_the_faults_that_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    context = ProcessContext("vision", create_run_folder(Settings()))
    context.clock = ManualClock(NS_PER_S)  # type: ignore[assignment]
    said: list[msgspec.Struct] = []
    context.publisher.forward = said.append

    def named() -> list[str]:
        context.clock.wait_until_ns(context.clock.now_ns() + NS_PER_S)
        context.publish_health()
        assert isinstance(said[-1], Health)
        return [fault.code for fault in said[-1].faults]

    assert named() == []
    context.raise_fault("no_pictures", "the cable")
    context.raise_fault("no_pictures", "the cable")
    stopped = Fault("vision", "harvest_stopped", "the disk is full", NS_PER_S)
    context.tell_fault(stopped)
    assert named() == ["no_pictures", "harvest_stopped"]
    assert named() == ["no_pictures", "harvest_stopped"]
    context.clear_fault("no_pictures")
    assert named() == ["harvest_stopped"]
    assert said[-1].status is HealthStatus.OK
    context.tell_fault(msgspec.structs.replace(stopped, is_cleared=True))
    assert named() == []
    faults = [(one.code, one.is_cleared) for one in said if isinstance(one, Fault)]
    stands, over = False, True
    assert faults == [
        ("no_pictures", stands),
        ("harvest_stopped", stands),
        ("no_pictures", over),
        ("harvest_stopped", over),
    ]
    context.publisher.close()
