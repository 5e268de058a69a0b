"""Updates take themselves back: the two scripts with pretended docker, rauc, curl and systemctl."""

import os
import subprocess
from pathlib import Path

import pytest

UPDATE = Path(__file__).resolve().parents[3] / "docker" / "update"


def pretend(folder: Path, name: str, script: str) -> None:
    """A program that writes down how it was called, and does what the script says."""
    path = folder / name
    path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{folder}/calls"\n{script}\n')
    path.chmod(0o755)


def run(script: str, folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", str(UPDATE / script), *words],
        env={"PATH": f"{folder}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


CONFIRM = {"FARZ_CONFIRM_WAIT_S": "12", "FARZ_CONFIRM_WELL_FOR": "3", "FARZ_CONFIRM_PAUSE_S": "0"}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("rauc", "systemctl"):
        pretend(tmp_path, name, "")
    return tmp_path


def test_a_system_whose_line_gets_well_is_kept(box: Path) -> None:
    # ill for four tries, then well
    pretend(box, "curl", f'[ "$(grep -c ^curl "{box}/calls")" -gt 4 ]')
    confirmed = run("confirm_boot.sh", box, **CONFIRM)
    assert confirmed.returncode == 0
    assert calls(box)[-1] == "rauc status mark-good"
    assert not any("reboot" in call for call in calls(box))


@pytest.mark.parametrize("health", ["false", "[ $((RANDOM)) = x ]"])
def test_a_system_whose_line_stays_ill_is_left_for_the_one_before(box: Path, health: str) -> None:
    pretend(box, "curl", health)
    confirmed = run("confirm_boot.sh", box, **CONFIRM)
    assert confirmed.returncode == 1
    assert calls(box)[-2:] == ["rauc status mark-bad", "systemctl reboot"]


def test_a_line_that_is_well_now_and_then_is_not_well(box: Path) -> None:
    pretend(box, "curl", f'[ $(( $(grep -c ^curl "{box}/calls") % 3 )) -ne 0 ]')
    assert run("confirm_boot.sh", box, **CONFIRM).returncode == 1
    assert "rauc status mark-good" not in calls(box)


def update(folder: Path, image: str, healths: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Put an image in place; `healths` says how each image turns out."""
    cases = "\n".join(f'  {name}) echo "{health}" ;;' for name, health in healths.items())
    pretend(
        folder,
        "docker",
        f"""case "$1 $*" in
*" up "*) echo "$FARZ_IMAGE" >"{folder}/running" ;;
*" ps "*) echo 0123 ;;
inspect*) case "$(cat "{folder}/running")" in
{cases}
esac ;;
esac""",
    )
    return run(
        "update_container.sh", folder, image, FARZ_STATE=str(folder / "state"), FARZ_UPDATE_WAIT_S="3",
        FARZ_UPDATE_PAUSE_S="0",
    )  # fmt: skip


def running(folder: Path) -> str:
    return (folder / "running").read_text().strip()


def test_a_well_image_stays_and_the_one_before_is_written_down(tmp_path: Path) -> None:
    healths = {"farz:1": "healthy", "farz:2": "healthy"}
    assert update(tmp_path, "farz:1", healths).returncode == 0
    assert update(tmp_path, "farz:2", healths).returncode == 0
    assert running(tmp_path) == "farz:2"
    assert (tmp_path / "state/image").read_text() == "farz:2\n"
    assert (tmp_path / "state/image.before").read_text() == "farz:1\n"


@pytest.mark.parametrize("health", ["unhealthy", "starting"])
def test_an_image_that_is_not_well_in_time_is_taken_back(tmp_path: Path, health: str) -> None:
    healths = {"farz:1": "healthy", "farz:2": health}
    assert update(tmp_path, "farz:1", healths).returncode == 0
    updated = update(tmp_path, "farz:2", healths)
    assert updated.returncode == 1
    assert "back to farz:1" in updated.stderr
    assert running(tmp_path) == "farz:1"
    assert (tmp_path / "state/image").read_text() == "farz:1\n"


def test_the_first_image_has_nothing_to_go_back_to_and_says_so(tmp_path: Path) -> None:
    updated = update(tmp_path, "farz:1", {"farz:1": "unhealthy"})
    assert updated.returncode == 1
    assert "no image to go back to" in updated.stderr
