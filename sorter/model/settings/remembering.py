"""What a line keeps: pictures, events, and what figures need to know; and how its processes are kept."""

from typing import Annotated, Literal

from msgspec import Meta

from sorter.model.settings.section import Count, DurationMs, OpenRatio, PositiveCount, PositiveMm, Ratio, Section


class HarvestSettings(Section, frozen=True):
    """Which pictures the line keeps for labelling, and how many; without a folder it keeps none."""

    # where kept pictures and their pre-labels go; empty: nothing is kept
    folder: str = ""
    picture_format: Literal["jpeg", "png"] = "jpeg"
    jpeg_quality: Annotated[int, Meta(ge=50, le=100)] = 95
    # pictures of one shift, all reasons together; shifts are counted from the first one's hour, local time
    max_per_shift: PositiveCount = 200
    shift_h: Annotated[float, Meta(gt=0.0, le=24.0)] = 8.0
    first_shift_at_h: Annotated[float, Meta(ge=0.0, lt=24.0)] = 6.0
    # the folder never grows above this, nor does the disk's free space fall below that
    max_folder_mib: PositiveCount = 4096
    min_free_mib: Count = 1024
    # belt between two pictures that the network chose: below the view's length, some items are in both
    min_distance_mm: PositiveMm = 800.0
    # share of max_per_shift that each reason may use up; together at most 1
    uncertain_share: Ratio = 0.4
    disagreeing_share: Ratio = 0.3
    flagged_share: Ratio = 0.1
    random_share: Ratio = 0.2
    # an item is uncertain when its probability is this near the one at which it would just be ejected
    uncertain_band: Ratio = 0.1
    # a whole view has a say in what an item is when its best probability is at least this
    min_vote_probability: OpenRatio = 0.4
    # decides at which instants a picture is kept whatever it shows
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 1

    def __post_init__(self) -> None:
        """Refuse shares that one shift cannot hold."""
        shares = (self.uncertain_share, self.disagreeing_share, self.flagged_share, self.random_share)
        if sum(shares) > 1.0 + 1e-9:
            raise ValueError(f"the four shares must add up to 1 at most, not {sum(shares):.2f}")


class StoreSettings(Section, frozen=True):
    """What the line remembers: every event for some time, sums for good."""

    # false: nothing is written down, and there are no figures of a shift or a month
    enabled: bool = True
    # where events.sqlite lies; empty: farz/<line_name> in the user's data folder ($XDG_DATA_HOME or ~/.local/share)
    folder: str = ""
    # single events are forgotten after so many days, or earlier where the file would grow above this; sums stay
    keep_days: Annotated[int, Meta(ge=1, le=36_500)] = 400
    max_file_mib: Annotated[int, Meta(ge=16, le=1_000_000_000)] = 16_384
    # with less than this free on the disk, sums alone are written
    min_free_mib: Count = 512


class FactorSettings(Section, frozen=True):
    """What a tonne is worth or avoids: a range, and where it comes from; without a source there is no figure."""

    low: Annotated[float, Meta(ge=-1e6, le=1e6)]
    central: Annotated[float, Meta(ge=-1e6, le=1e6)]
    high: Annotated[float, Meta(ge=-1e6, le=1e6)]
    source: Annotated[str, Meta(min_length=3)]
    year: Annotated[int, Meta(ge=1990, le=2100)]

    def __post_init__(self) -> None:
        """Refuse a range whose ends are in the wrong order."""
        if not self.low <= self.central <= self.high:
            raise ValueError(f"low {self.low}, central {self.central}, high {self.high}: must not fall")


class FiguresSettings(Section, frozen=True):
    """What figures need to know that no sensor tells."""

    # what the line is meant to sort; left out, there is no performance and no OEE
    nominal_items_per_min: Annotated[float, Meta(gt=0.0, le=1e6)] | None = None
    # what belt, lights and computer take, where no sensor tells; added to nothing that is measured
    power_w: Annotated[float, Meta(gt=0.0, le=1e7)] | None = None
    # by how much the logit of a share may differ from what the model believes, before any audit; standard deviation
    calibration_shift_sd: Annotated[float, Meta(ge=0.05, le=3.0)] = 1.0
    # money for a tonne of a class, and what money
    value_per_t: dict[str, FactorSettings] = {}
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "EUR"
    # CO2e that recycling a tonne of a class avoids; what has no factor here is in no figure
    co2e_avoided_kg_per_t: dict[str, FactorSettings] = {}


class SupervisionSettings(Section, frozen=True):
    """How often a process that dies is started again before the line gives up on it."""

    max_restarts: Count = 5
    window_s: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 60.0
    first_backoff_ms: DurationMs = 500.0
    stop_timeout_ms: DurationMs = 2000.0
