"""`farz commission`: what an integrator does once, between wiring and the first shift."""

import json
import math
import select
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from actuators.drivers.opening import open_valves
from actuators.drivers.simulated import SimulatedBar
from actuators.nozzle_walk import HOLD_KEY, NozzleWalk, places, run_walk
from sorter.command_table import CommandTable
from sorter.errors import ConfigurationError
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.policy.commissioning import AuditShot, Geometry, correction, geometry
from sorter.runtime.clock import SystemClock
from sorter.runtime.configuration import load_settings
from sorter.runtime.configuration_file import change_file

COMMANDS: dict[str, tuple[str, str]] = {
    "geometry": ("actuators.commission_command:show_geometry", "Blur, views and lead time, from the configuration."),
    "walk": ("actuators.commission_command:walk_nozzles", "Open one nozzle after the other while a key is held."),
    "coils": ("actuators.commission_command:walk_coils", "Write each coil of the PLC alone and read all back."),
    "audit": ("actuators.commission_command:audit", "Delay and distance from shots at known items."),
}
_KEY_WAIT_S = 0.02
_config = click.option("--config", type=click.Path(path_type=Path), required=True, help="Line configuration.")


@click.group(cls=CommandTable, table=COMMANDS)
def commission() -> None:
    r"""Put a line into service, step by step.

    What moves valves needs `maintenance = true` in the configuration, with which the line itself does not run.

    \b
    farz commission geometry --config line.toml
    farz commission coils --config line.toml
    farz commission walk --config line.toml --station pet
    farz commission audit --config line.toml --station pet --shot 1.0:4.5 --shot 2.5:9.2 --write
    """


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Line configuration; without one, the defaults.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_geometry(config: Path | None, as_json: bool) -> None:
    """Say what the belt's speed makes of exposure, views and lead time, and whether the ejector is far enough."""
    found = geometry(load_settings(config))
    click.echo(json.dumps(msgspec.to_builtins(found), indent=2) if as_json else _geometry_table(found))


@click.command()
@_config
@click.option("--station", help="Only this station.")
def walk_nozzles(config: Path, station: str | None) -> None:
    """Open one nozzle while the space bar is held; n: next, b: back, q: end. Let go, and it closes within 0.6 s."""
    settings = _for_maintenance(config)
    stations = tuple(each for each in settings.recipe.stations if station in {None, each.id})
    if not stations:
        raise ConfigurationError(f"--station {station!r}: no station of the recipe")
    clock = SystemClock()
    now_ns = clock.now_ns()
    driver = (
        SimulatedBar(settings, BeltDrive(settings.belt), now_ns, None)
        if settings.valves.driver == "simulated"
        else open_valves(settings, clock, lambda _instant_ns: None)
    )
    try:
        run_walk(NozzleWalk(driver, places(stations), clock), _keys(), _show_place)
    finally:
        driver.shut_down()
        click.echo("")


@click.command()
@_config
def walk_coils(config: Path) -> None:
    """Write each coil of the PLC alone and read all back; exit code 1 if any is not alone. Valves move."""
    settings = _for_maintenance(config)
    if settings.valves.driver != "modbus":
        raise ConfigurationError(f"valves.driver = {settings.valves.driver!r}: only a PLC on Modbus TCP has coils")
    from actuators.drivers.modbus_client import ModbusDevice
    from actuators.drivers.outputs import OutputMap
    from actuators.drivers.walking_one import walk_one

    counts = {each.id: each.nozzle_count for each in settings.recipe.stations}
    device = ModbusDevice(settings.valves.modbus)
    device.connect()
    findings = list(walk_one(device, OutputMap(settings.valves.modbus.first_coils, counts)))
    device.hang_up()
    wrong = [finding for finding in findings if not finding.is_right]
    for finding in wrong:
        click.echo(f"coil {finding.coil}: read as on: {list(finding.read_on) or 'none'}")
    click.echo(f"{len(findings)} coils, {len(findings) - len(wrong)} of them right")
    sys.exit(1 if wrong else 0)


@click.command()
@_config
@click.option("--station", required=True, help="The station that fired.")
@click.option(
    "--shot", "shots", multiple=True, required=True, metavar="SPEED:MISS", help="m/s, and mm behind the item."
)
@click.option("--write", is_flag=True, help="Write the result into the configuration, with date and author.")
@click.option("--author", help="Whose work it is; without, the user's name.")
def audit(config: Path, station: str, shots: tuple[str, ...], write: bool, author: str | None) -> None:
    """Find delay and distance from shots at known items: how far behind the middle of the item (upstream) each hit.

    Shots at two speeds or more tell delay from distance; at one speed, all of the miss is taken for distance.
    """
    settings = load_settings(config)
    number = next((at for at, each in enumerate(settings.recipe.stations) if each.id == station), None)
    if number is None:
        raise ConfigurationError(f"--station {station!r}: no station of the recipe")
    found = correction([_audit_shot(text) for text in shots])
    offset_mm = round(settings.recipe.stations[number].offset_mm + found.offset_mm, 2)
    changes: dict[tuple[str | int, ...], float] = {("recipe", "stations", number, "offset_mm"): offset_mm}
    click.echo(f"recipe.stations {station!r} offset_mm = {offset_mm}  (by {found.offset_mm:+.2f})")
    if found.response_ms is not None:
        before_ms = settings.valves.own_response_ms.get(station, settings.valves.response_ms)
        response_ms = round(before_ms + found.response_ms, 3)
        changes["valves", "own_response_ms", station] = response_ms
        click.echo(f"valves.own_response_ms {station!r} = {response_ms}  (by {found.response_ms:+.2f})")
    click.echo(f"misses that remain: {found.residual_mm:.2f} mm (root mean square of {len(shots)} shots)")
    if write:
        click.echo(f"written: {change_file(config, changes, f'from {len(shots)} audit shots', author)}")


def _for_maintenance(config: Path) -> Settings:
    settings = load_settings(config)
    if not settings.maintenance:
        raise ConfigurationError(
            "configuration: maintenance = false: valves are moved by hand with true, and then the line does not run"
        )
    return settings


def _audit_shot(text: str) -> AuditShot:
    speed, _, miss = text.partition(":")
    try:
        shot = AuditShot(float(speed), float(miss))
    except ValueError as error:
        raise ConfigurationError(f"--shot {text!r}: SPEED:MISS in m/s and mm, such as 2.0:-4.5") from error
    if not (0.0 < shot.speed_m_s <= 10.0 and math.isfinite(shot.miss_mm)):
        raise ConfigurationError(f"--shot {text!r}: a speed above 0 and at most 10 m/s, and a miss in mm")
    return shot


def _keys() -> Iterator[str | None]:
    """Keys as they are pressed, None about fifty times a second while none is; needs a terminal."""
    if not sys.stdin.isatty():
        raise ConfigurationError("the nozzle walk needs a terminal: a key must be held by somebody who sees the bar")
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        while True:
            is_there, _, _ = select.select([sys.stdin], [], [], _KEY_WAIT_S)
            yield sys.stdin.read(1) if is_there else None
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _show_place(walk: NozzleWalk) -> None:
    state = "OPEN  " if walk.is_open else "closed"
    hint = "space" if HOLD_KEY == " " else HOLD_KEY
    click.echo(
        f"\r{walk.place.station_id}:{walk.place.nozzle:<5} {state}  hold {hint}, n next, b back, q end", nl=False
    )


def _geometry_table(found: Geometry) -> str:
    verdict = "sharp" if found.is_sharp else f"blurred: {found.longest_exposure_us:.0f} µs at most"
    lines = [
        f"at {found.speed_m_s:.2f} m/s",
        f"motion blur        {found.blur_mm:.2f} mm = {found.blur_px:.2f} px   {verdict}",
        f"views              {found.frame_rate_hz:.1f} a second, {found.views_per_item:.1f} an item",
    ]
    for station_id, lead_ms in found.lead_ms.items():
        verdict = "far enough" if found.is_far_enough(station_id) else "TOO NEAR: decided before the last view"
        lines.append(f"lead of {station_id:<10} {lead_ms:.0f} ms, {found.needed_ms:.0f} ms needed   {verdict}")
    return "\n".join(lines)
