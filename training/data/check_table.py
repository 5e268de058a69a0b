"""The check's report as tables for a terminal."""

from collections import defaultdict
from collections.abc import Sequence

from training.data.check import CheckReport, ClassCount, FolderCheck
from training.data.findings import Finding

_MOST_EXAMPLES = 3


def check_table(report: CheckReport) -> str:
    """Folders, class balance with box sizes, and findings by kind with the first few places of each."""
    sections = (_folders(report.folders), _classes(report.folders), _findings(report.findings), [_verdict(report)])
    return "\n\n".join("\n".join(section) for section in sections)


def _folders(folders: Sequence[FolderCheck]) -> list[str]:
    width = max(len("folder"), *(len(one.folder) for one in folders))
    head = f"  {'folder':{width}s} {'pictures':>9s} {'empty':>6s} {'sessions':>9s} {'labels':>7s} {'ignored':>8s}"
    rows = [
        f"{number} {one.folder:{width}s} {one.picture_count:9d} {one.empty_count:6d} {one.session_count:9d} "
        f"{one.label_count:7d} {one.ignored_count:8d}"
        for number, one in enumerate(folders, start=1)
    ]
    return [head, *rows]


def _classes(folders: Sequence[FolderCheck]) -> list[str]:
    head = (
        f"{'class':16s} {'folder':>6s} {'labels':>7s} {'share':>7s} {'pictures':>9s} {'complete':>9s} "
        "box size in % of the picture (5 %, median, 95 %)"
    )
    names = dict.fromkeys(name for folder in folders for name in folder.classes)
    rows = [
        _class_row(name, number, folder.classes[name], folder.label_count)
        for name in names
        for number, folder in enumerate(folders, start=1)
        if name in folder.classes
    ]
    return [head, *rows]


def _class_row(name: str, number: int, count: ClassCount, label_count: int) -> str:
    share = count.label_count / max(label_count, 1)
    sizes = count.sizes
    spread = "–" if sizes is None else f"{100 * sizes.low:5.1f} {100 * sizes.median:5.1f} {100 * sizes.high:5.1f}"
    complete = "yes" if count.is_complete else "no"
    return (
        f"{name:16s} {number:6d} {count.label_count:7d} {share:7.1%} {count.picture_count:9d} {complete:>9s} {spread}"
    )


def _findings(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return ["nothing found"]
    kinds: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.level, finding.kind, finding.folder].append(finding)
    return [line for key, members in sorted(kinds.items()) for line in _kind_rows(key, members)]


def _kind_rows(key: tuple[str, str, str], members: Sequence[Finding]) -> list[str]:
    level, kind, folder = key
    examples = [f"    {one.place}{f' ({one.detail})' if one.detail else ''}" for one in members[:_MOST_EXAMPLES]]
    rest = [f"    and {len(members) - _MOST_EXAMPLES} more"] if len(members) > _MOST_EXAMPLES else []
    return [f"{level:8s}{len(members):6d} × {kind} in {folder}", *examples, *rest]


def _verdict(report: CheckReport) -> str:
    return f"{report.error_count} errors, {report.warning_count} warnings"
