"""Capture sessions: what tells them, in which order it is trusted, and what never makes two of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.errors import DataFolderError
from training.data.sessions import Capture, Session, capture_sessions, hour_in_name, session_pattern


@pytest.mark.parametrize(
    ("stem", "hour"),
    [
        ("Monitoring_photo2_04-Mar_00-40-08", "Monitoring_photo2_04-Mar_00"),
        ("cam1_2024-03-04_07-10-00", "cam1_20240304_07"),
        ("cam1_2024-03-04T07:10:00", "cam1_20240304_07"),
        ("20240304_071000", "20240304_07"),
        ("IMG_20240304_071000_HDR", "IMG_20240304_07"),
        ("frame_000123_2024-03-04-07-10", "frame_20240304_07"),
        ("cb_0326", None),
        ("belt_2024", None),
        ("cam1_2024-13-04_07-10-00", None),
        ("cam1_2024-03-04_27-10-00", None),
    ],
)
def test_a_time_in_the_name_tells_camera_and_hour(stem: str, hour: str | None) -> None:
    assert hour_in_name(stem) == hour


@given(
    camera=st.sampled_from(["cam1", "belt-2", ""]),
    numbers=st.lists(st.integers(0, 99999), min_size=2, max_size=2),
    minutes=st.lists(st.integers(0, 59), min_size=2, max_size=2),
)
def test_one_camera_and_hour_is_one_session_whatever_the_running_number(
    camera: str, numbers: list[int], minutes: list[int]
) -> None:
    stems = [
        f"{camera}_{number:05d}_2024-03-04_07-{minute:02d}-00" for number, minute in zip(numbers, minutes, strict=True)
    ]
    assert len({hour_in_name(stem) for stem in stems}) == 1


def test_what_is_known_better_is_trusted_first() -> None:
    place, hour = "siteA/images/cam1_2024-03-04_07-10-00.jpg", "Cam 2024-03-04 07h"
    recorded = Session("line 2", "folder")
    everything = Capture(place, recorded, hour)
    assert capture_sessions([everything], session_pattern(r"cam(\d)")) == [Session("1", "pattern")]
    assert capture_sessions([everything]) == [recorded]
    assert capture_sessions([Capture(place, None, hour)]) == [Session("cam1_20240304_07", "name")]
    assert capture_sessions([Capture("siteA/images/x.jpg", None, hour)]) == [Session(hour, "exif")]
    assert capture_sessions([Capture("siteA/images/x.jpg")]) == [Session("siteA", "folder")]


def test_folders_that_lay_a_set_out_are_no_sessions() -> None:
    sessions = capture_sessions([Capture(f"train/images/{index:02d}.jpg") for index in range(25)])
    assert [session.told_by for session in sessions] == ["neighbours"] * 25
    assert [sessions.count(session) for session in dict.fromkeys(sessions)] == [10, 10, 5]


def test_a_pattern_without_a_group_counts_as_a_whole() -> None:
    assert capture_sessions([Capture("a/b7.jpg")], session_pattern(r"b\d")) == [Session("b7", "pattern")]


def test_a_pattern_that_is_none_or_matches_nothing_is_named() -> None:
    with pytest.raises(DataFolderError, match="session-pattern"):
        session_pattern("(")
    with pytest.raises(DataFolderError, match=r"a/b\.jpg"):
        capture_sessions([Capture("a/b.jpg")], session_pattern(r"cam(\d)"))
