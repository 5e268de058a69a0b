"""Checks of `farz doctor` for the valve controller; see `sorter.doctor_command` for the table."""

import importlib.util
import os
import resource
import sys
from typing import cast

from actuators.drivers.opening import open_valves
from actuators.encoder import Counter
from actuators.errors import DriverError
from actuators.gpio_encoder import GpioEncoder
from sorter.doctor_finding import Finding, Verdict
from sorter.errors import BadInputError
from sorter.model.settings import Settings, is_simulated_source
from sorter.model.units import NS_PER_MS
from sorter.policy.commissioning import geometry
from sorter.runtime.clock import Clock, SystemClock

_ENCODER_WAIT_NS, _ENCODER_PAUSE_NS = 500 * NS_PER_MS, 20 * NS_PER_MS
_MOST_GLITCHES_RATIO = 0.01
_LIBRARIES = {"gpio": "gpiod", "modbus": "pymodbus", "serial": "serial"}


def check_real_time(settings: Settings) -> Finding:
    """Whether the controller may run before everything else; asked of a child, so that nothing of ours changes."""
    if sys.platform != "linux":
        return Finding("real time", Verdict.POOR, "real-time priority is asked for on Linux alone")
    priority = settings.controller.real_time_priority
    child = os.fork()
    if child == 0:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        except PermissionError:
            os._exit(1)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        return Finding("real time", Verdict.GOOD, f"priority {priority} is granted")
    return Finding("real time", Verdict.POOR, "not granted: give CAP_SYS_NICE or set RLIMIT_RTPRIO")


def check_memory_lock(_settings: Settings) -> Finding:
    """Whether the controller may keep its memory out of the swap."""
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if os.geteuid() == 0 or limit == resource.RLIM_INFINITY:
        return Finding("memory lock", Verdict.GOOD, "granted")
    return Finding("memory lock", Verdict.POOR, f"limited to {limit // 2**20} MiB: give CAP_IPC_LOCK")


def check_driver_library(settings: Settings) -> Finding:
    """Whether the valve driver's library is installed."""
    kind = settings.valves.driver
    library = _LIBRARIES.get(kind)
    if library is None:
        return Finding("valves", Verdict.GOOD, "simulated")
    if importlib.util.find_spec(library) is None:
        return Finding("valves", Verdict.WRONG, f"{kind}: pip install 'farz[{kind}]'")
    return Finding("valves", Verdict.GOOD, f"{kind}, by {library}")


def check_geometry(settings: Settings) -> Finding:
    """Whether pictures are sharp and the ejector is far enough; see `farz commission geometry`."""
    found = geometry(settings)
    near = [station_id for station_id in found.lead_ms if not found.is_far_enough(station_id)]
    if near:
        return Finding("geometry", Verdict.POOR, f"too near for the last view: {', '.join(near)}")
    if not found.is_sharp:
        return Finding("geometry", Verdict.POOR, f"motion blurs {found.blur_px:.1f} px")
    return Finding("geometry", Verdict.GOOD, f"{found.views_per_item:.1f} views an item, blur {found.blur_px:.2f} px")


def check_valves_dry(settings: Settings) -> Finding:
    """Whether the valves' hardware answers; it is opened and asked, and no valve is."""
    name, kind = "valves dry", settings.valves.driver
    if kind == "simulated":
        return Finding(name, Verdict.NOT_APPLICABLE, "valves.driver is 'simulated'")
    try:
        driver = open_valves(settings, SystemClock(), lambda _instant_ns: None)
        try:
            driver.read_inputs()
        finally:
            driver.shut_down()
    except (BadInputError, DriverError) as error:
        return Finding(name, Verdict.WRONG, f"{error}: look at cable, power and the table valves.{kind}")
    return Finding(name, Verdict.GOOD, f"{driver.name} answers; no valve was opened")


def check_nozzle_watch(settings: Settings) -> Finding:
    """Whether anything tells dead nozzles and stuck ones: something must see what the bars leave on the belt."""
    sees_items = settings.valves.driver == "simulated" and is_simulated_source(settings)
    if sees_items and settings.belt.travel_from == "simulated":
        return Finding("nozzle watch", Verdict.GOOD, "dead and stuck-open nozzles show in where simulated items end")
    said = "dead and stuck-open nozzles are not suspected: needs a sensor after the bar"
    return Finding("nozzle watch", Verdict.NOT_APPLICABLE, said)


def check_encoder(settings: Settings) -> Finding:
    """Where the belt's travel comes from, and whether what counts it answers."""
    kind = settings.belt.travel_from
    if kind == "simulated":
        return Finding("encoder", Verdict.NOT_APPLICABLE, "belt.travel_from is 'simulated'")
    if kind == "pictures":
        return Finding("encoder", Verdict.POOR, "travel is read from pictures: an encoder places shots better")
    if kind == "gpio":
        return _gpio_encoder(settings)
    clock = SystemClock()
    try:
        driver = open_valves(settings, clock, lambda _instant_ns: None)
        try:
            reading = _first_reading(cast("Counter", driver), clock)
        finally:
            driver.shut_down()
    except (BadInputError, DriverError) as error:
        return Finding("encoder", Verdict.WRONG, f"{error}: look at cable, power and the table valves.serial")
    if reading is None:
        return Finding("encoder", Verdict.WRONG, "the valves' board counts nothing: look at the encoder's cable")
    pulse_um = settings.belt.encoder_pulse_um
    return Finding("encoder", Verdict.GOOD, f"the valves' board has counted {reading[1]} pulses of {pulse_um} µm")


def _gpio_encoder(settings: Settings) -> Finding:
    """Whether the encoder's lines can be had, and what their edges say within half a second."""
    clock = SystemClock()
    try:
        encoder = GpioEncoder(settings)
    except BadInputError as error:
        return Finding("encoder", Verdict.WRONG, f"{error}: look at its wires and the table belt.gpio")
    deadline_ns = clock.now_ns() + _ENCODER_WAIT_NS
    while encoder.trouble is None and clock.now_ns() < deadline_ns:
        clock.wait_until_ns(clock.now_ns() + _ENCODER_PAUSE_NS)
        encoder.read(clock.now_ns())
    trouble, counted = encoder.trouble, encoder.counter
    encoder.shut_down()
    if trouble is not None:
        return Finding("encoder", Verdict.WRONG, f"{trouble}: look at its wires and belt.encoder_pulse_um")
    if counted.glitch_count > _MOST_GLITCHES_RATIO * counted.edge_count:
        said = f"{counted.glitch_count} of {counted.edge_count} edges are no steps: look at shield and ground"
        return Finding("encoder", Verdict.POOR, f"{said}, or set belt.gpio.debounce_us")
    if counted.edge_count == 0:
        return Finding("encoder", Verdict.GOOD, "its lines are held; no edge in half a second, as of a standing belt")
    return Finding("encoder", Verdict.GOOD, f"{counted.edge_count} edges in half a second, none missing")


def _first_reading(counter: Counter, clock: Clock) -> tuple[int, int] | None:
    """What the board has counted, as soon as it says so; None after half a second."""
    deadline_ns = clock.now_ns() + _ENCODER_WAIT_NS
    while (reading := counter.encoder_reading(clock.now_ns())) is None and clock.now_ns() < deadline_ns:
        clock.wait_until_ns(clock.now_ns() + _ENCODER_PAUSE_NS)
    return reading
