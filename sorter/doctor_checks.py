"""Checks of the machine that any line needs; see `sorter.doctor_command` for the table."""

import os
import shutil
import stat
from pathlib import Path

from sorter.calibration import open_calibration
from sorter.doctor_finding import Finding, Verdict
from sorter.errors import BadInputError
from sorter.model.settings import Settings
from sorter.model.units import BYTES_PER_MIB
from sorter.page_port import page_port_fault
from sorter.runtime.api_keys import read_api_keys
from sorter.store.place import store_path

_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_FEWEST_PROCESSORS = 2
# counters of the processor itself; others take a trip to the hypervisor or a slow chip for every reading
_QUICK_SOURCES = frozenset({"tsc", "arch_sys_counter", "kvm-clock"})


def check_clock(_settings: Settings) -> Finding:
    """Whether the monotonic clock is quick to read."""
    try:
        source = _CLOCK_SOURCE.read_text().strip()
    except OSError:
        return Finding("clock", Verdict.POOR, "this system does not tell what its clock is")
    verdict = Verdict.GOOD if source in _QUICK_SOURCES else Verdict.POOR
    return Finding("clock", verdict, f"clock source {source}")


def check_processors(settings: Settings) -> Finding:
    """Whether there are enough processors, and the one that the controller wants."""
    count = os.cpu_count() or 1
    wanted = settings.controller.cpu
    if wanted is not None and wanted >= count:
        return Finding("processors", Verdict.WRONG, f"controller.cpu = {wanted}, but there are {count}")
    if count <= _FEWEST_PROCESSORS:
        return Finding(
            "processors", Verdict.POOR, f"{count} processors: with {_FEWEST_PROCESSORS + 1} shots are steadier"
        )
    return Finding("processors", Verdict.GOOD, f"{count} processors")


def check_page_port(settings: Settings) -> Finding:
    """Whether the page can be served."""
    fault, place = page_port_fault(settings.ui), f"{settings.ui.host}:{settings.ui.port}"
    if fault is not None:
        return Finding("page", Verdict.WRONG, f"{place}: {fault}")
    return Finding("page", Verdict.GOOD, f"{place} is free")


def check_model(settings: Settings) -> Finding:
    """Whether the model can be used, and somebody trusted signed it."""
    try:
        open_calibration(settings)
    except BadInputError as error:
        return Finding("model", Verdict.WRONG, str(error))
    return Finding("model", Verdict.GOOD, settings.detector.model or "the shipped model")


def check_store(settings: Settings) -> Finding:
    """Whether the line can write down what it does, and has room for it."""
    if not settings.store.enabled:
        return Finding("store", Verdict.POOR, "store.enabled = false: nothing is remembered, so there are no figures")
    folder = store_path(settings).parent
    # what is missing of the folder is made when the line starts
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Finding("store", Verdict.WRONG, f"{folder} cannot be written to; name another place as store.folder")
    free_mib = shutil.disk_usage(there).free // BYTES_PER_MIB
    if free_mib < settings.store.min_free_mib:
        return Finding("store", Verdict.WRONG, f"{folder}: {free_mib} MiB free, of which none may be used")
    verdict = Verdict.GOOD if free_mib >= settings.store.max_file_mib else Verdict.POOR
    return Finding("store", verdict, f"{folder}: {free_mib} MiB free, up to {settings.store.max_file_mib} may be used")


def check_api_keys(settings: Settings) -> Finding:
    """Whether readers of figures can be let in as the configuration means it."""
    name, path = "api keys", Path(settings.api.keys_file)
    if not settings.api.keys_file:
        public = ", ".join(settings.api.public_scopes) or "nothing"
        return Finding(name, Verdict.GOOD, f"api.keys_file names none; {public} can be read without a key")
    if not path.exists():
        return Finding(name, Verdict.POOR, f"{path} is not there, so nobody has a key; make one with farz keys api add")
    try:
        count = len(read_api_keys(path))
    except BadInputError as error:
        return Finding(name, Verdict.WRONG, str(error))
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding(name, Verdict.WRONG, f"{path} can be written by others, who could let themselves in; chmod 600")
    return Finding(name, Verdict.GOOD, f"{path}: {count} keys")
