"""Parting a labelled folder so that no capture session, and no picture that looks the same, is in two parts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from training.data.annotations import Skipped
from training.data.assignment import assign_groups
from training.data.data_sheet import write_data_sheet
from training.data.labelled_folder_writer import write_class_list, write_class_map
from training.data.manifest import Manifest, PictureEntry, new_entry, ordered, write_manifest
from training.data.near_duplicates import joined_groups, near_pairs
from training.data.sessions import session_pattern
from training.data.survey import Survey, SurveyedPicture, survey_folder
from training.data.whole_folder import place_file, whole_folder

_SUM_SLACK = 1e-6


class SplitRequest(msgspec.Struct, frozen=True):
    """What to part, into what, to where.

    Attributes:
        folder: the labelled folder.
        out: the folder to write; each part becomes a folder in it.
        shares: part → wanted share of the pictures; together one.
        seed: decides among equally good splits.
        link: give pictures a second name instead of copying them.
        session_pattern: regular expression for the capture session in a picture's path, or None.
        class_names: the material classes there are.
    """

    folder: Path
    out: Path
    shares: Mapping[str, float]
    seed: int = 0
    link: bool = False
    session_pattern: str | None = None
    class_names: tuple[str, ...] = CLASS_NAMES


class PartReport(msgspec.Struct, frozen=True):
    """What one part got: pictures, sessions, and labels of each material class."""

    wanted_ratio: float
    picture_count: int
    session_count: int
    label_counts: dict[str, int]


class SplitReport(msgspec.Struct, frozen=True):
    """What `farz train split` prints.

    Attributes:
        parts: by name.
        group_count: groups of sessions that had to stay together.
        largest_group_count: pictures of the largest group.
        near_pair_count: pairs of pictures that look the same.
        neighbour_session_count: sessions told by nothing but the order of names.
        skipped: pictures that could not be used, in no part.
    """

    parts: dict[str, PartReport]
    group_count: int
    largest_group_count: int
    near_pair_count: int
    neighbour_session_count: int
    skipped: tuple[Skipped, ...]


def split_folder(request: SplitRequest) -> SplitReport:
    """Write the parts, each a labelled folder with manifest and data sheet.

    Raises:
        DataFolderError: if the folder or the shares cannot be used, a part would stay empty, or something cannot be
            written; nothing is left behind then.
    """
    _check_shares(request.shares)
    survey = survey_folder(request.folder, request.class_names, session_pattern(request.session_pattern))
    usable = [picture for picture in survey.pictures if picture.usable]
    if not usable:
        raise DataFolderError(f"{request.folder}: none of {len(survey.pictures)} pictures can be used")
    groups, near_pair_count = inseparable_groups(usable)
    parts = _parts_of(usable, groups, survey, request)
    with whole_folder(request.out) as whole:
        write_class_list(whole, survey.index.names)
        write_class_map(whole, survey.index.class_map)
        for number, name in enumerate(request.shares):
            members = [picture for picture, part in zip(usable, parts, strict=True) if part == number]
            _write_part(whole / name, members, survey, request)
    return _report(request, survey, usable, groups, parts, near_pair_count)


def inseparable_groups(pictures: Sequence[SurveyedPicture]) -> tuple[list[int], int]:
    """The group of each picture, and how many pairs look the same.

    A group is all of a session, and all of any session that holds a picture that looks like one of it.
    """
    looks = [picture.facts.looks for picture in pictures if picture.facts and picture.facts.looks is not None]
    pairs = [(pair.first, pair.second) for pair in near_pairs(looks)]
    first_of: dict[str, int] = {}
    mates = [(first_of.setdefault(picture.session.name, index), index) for index, picture in enumerate(pictures)]
    return joined_groups(len(pictures), [*mates, *pairs]), len(pairs)


def _check_shares(shares: Mapping[str, float]) -> None:
    if len(shares) < 2:
        raise DataFolderError("--shares names less than two parts; for example train=0.7,val=0.15,test=0.15")
    for name, share in shares.items():
        if not 0.0 < share < 1.0:
            raise DataFolderError(f"--shares: {name}={share:g} would be an empty part; a share is above 0 and below 1")
        if not name.replace("-", "").replace("_", "").isalnum():
            raise DataFolderError(f"--shares: {name!r} is no name for a folder; letters, digits, - and _ can be used")
    if abs(sum(shares.values()) - 1.0) > _SUM_SLACK:
        raise DataFolderError(f"--shares add up to {sum(shares.values()):g}, not to 1")


def _parts_of(
    usable: Sequence[SurveyedPicture], groups: Sequence[int], survey: Survey, request: SplitRequest
) -> list[int]:
    members = sorted(set(groups))
    row_of = {group: row for row, group in enumerate(members)}
    counts = np.zeros((len(members), 1 + len(request.class_names)))
    for picture, group in zip(usable, groups, strict=True):
        counts[row_of[group], 0] += 1
        for name in _materials(picture, survey):
            counts[row_of[group], 1 + request.class_names.index(name)] += 1
    try:
        parts = assign_groups(counts, np.array(list(request.shares.values())), request.seed)
    except DataFolderError as error:
        raise DataFolderError(f"{request.folder}: {error}") from error
    return [int(parts[row_of[group]]) for group in groups]


def _materials(picture: SurveyedPicture, survey: Survey) -> list[str]:
    index = survey.index
    targets = [index.class_map.map[index.names[label.source_id]] for label in picture.labels]
    return [target for target in targets if target in index.class_names]


def _write_part(folder: Path, members: Sequence[SurveyedPicture], survey: Survey, request: SplitRequest) -> None:
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for picture in members:
        place_file(picture.path, folder / "images" / picture.path.name, link=request.link)
        label_path = survey.index.label_path(picture.path)
        if picture.has_label_file:
            place_file(label_path, folder / "labels" / label_path.name, link=False)
    shares = ",".join(f"{name}={share:g}" for name, share in request.shares.items())
    written_by = f"farz train split --shares {shares} --seed {request.seed}"
    skipped = survey.manifest.skipped if survey.manifest else ()
    write_manifest(folder, Manifest(written_by, ordered(_entry(picture) for picture in members), skipped))
    write_data_sheet(folder, request.class_names, f"{request.out.name}/{folder.name}")


def _entry(picture: SurveyedPicture) -> PictureEntry:
    if picture.entry is not None:
        return msgspec.structs.replace(picture.entry, session=picture.session)
    assert picture.facts is not None
    size_px = picture.facts.width_px, picture.facts.height_px
    return new_entry(picture.path, size_px, picture.session, len(picture.labels))


def _report(
    request: SplitRequest, survey: Survey, usable: Sequence[SurveyedPicture], groups: Sequence[int],
    parts: Sequence[int], near_pair_count: int,
) -> SplitReport:  # fmt: skip
    members = {
        name: [picture for picture, part in zip(usable, parts, strict=True) if part == number]
        for number, name in enumerate(request.shares)
    }
    return SplitReport(
        {name: _part_report(request.shares[name], pictures, survey) for name, pictures in members.items()},
        len(set(groups)),
        max(Counter(groups).values()),
        near_pair_count,
        len({picture.session for picture in usable if picture.session.told_by == "neighbours"}),
        tuple(
            Skipped(picture.path.name, picture.picture_fault or picture.label_fault or "")
            for picture in survey.pictures
            if not picture.usable
        ),
    )


def _part_report(wanted_ratio: float, pictures: Sequence[SurveyedPicture], survey: Survey) -> PartReport:
    found = [name for picture in pictures for name in _materials(picture, survey)]
    counts = {name: found.count(name) for name in survey.index.class_names if name in found}
    return PartReport(wanted_ratio, len(pictures), len({picture.session for picture in pictures}), counts)
