"""What a request may ask for in its query: one type an operation, read strictly, and described by OpenAPI as it is."""

from http import HTTPStatus
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta
from werkzeug.datastructures import MultiDict

from ui.api.problem import ProblemError

MAX_LIMIT = 1000

# a day (in the time zone asked for) or an instant, with its offset
_INSTANT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$"
# a line's name is whatever its configuration says, in any script
_LINE = r"^[^\u0000-\u001f\u007f]{1,64}$"
From = Annotated[
    str,
    Meta(pattern=_INSTANT, description="Begin: a day, or an instant with offset; left out, 24 hours before to"),
]
To = Annotated[str, Meta(pattern=_INSTANT, description="End, itself not in it; left out, now")]
AsOf = Annotated[
    str, Meta(pattern=_INSTANT, description="Figures as they were known then: corrections since are left out")
]
TimeZone = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", description="IANA time zone in which days begin and times are told")
]
Line = Annotated[str, Meta(pattern=_LINE, description="One line by its id; left out, all together")]
FormatName = Literal["json", "csv", "parquet"]
Format = Annotated[
    Literal["negotiate", "json", "csv", "parquet"],
    Meta(description="Takes the place of the Accept header; negotiate: that decides"),
]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="Entries a page")]
Cursor = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,512}$", description="Where the page before ended: its next_cursor")
]
ResolutionName = Literal["total", "minute", "hour", "day", "week", "month"]
LanguageName = Literal["en", "fr", "ar"]


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Parameters of an operation; unknown ones are refused."""


class PlainQuery(Query, frozen=True, kw_only=True):
    """No parameters."""


class PeriodQuery(Query, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A period of one line or of all."""

    from_: From | None = None
    to: To | None = None
    tz: TimeZone = "UTC"
    line: Line | None = None


class FiguresQuery(PeriodQuery, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Figures of a period, cut into stretches."""

    resolution: Annotated[ResolutionName, Meta(description="Length of a stretch; total: one for the whole period")] = (
        "total"
    )
    as_of: AsOf | None = None
    lang: Annotated[LanguageName, Meta(description="Language of material names")] = "en"
    format: Format = "negotiate"


class IndicatorsQuery(PeriodQuery, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A period, all of it; resources are those of one line or of all."""

    as_of: AsOf | None = None

    @property
    def resolution(self) -> ResolutionName:
        """Indicators are of the whole period."""
        return "total"


class PageQuery(PeriodQuery, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A page of entries of a period."""

    limit: Limit = 100
    cursor: Cursor | None = None
    format: Format = "negotiate"


class EventsQuery(PageQuery, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A page of events of one kind."""

    kind: Annotated[Literal["item", "mode", "fault", "energy"], Meta(description="What happened")] = "item"


class TableQuery(Query, frozen=True, kw_only=True):
    """A whole table."""

    format: Format = "negotiate"


QueryType = TypeVar("QueryType", bound=Query)


def read_query(arguments: MultiDict[str, str], kind: type[QueryType]) -> QueryType:
    """The parameters of a request as an operation's type.

    Raises:
        ProblemError: 400 for unknown parameters, ones given twice, and values of the wrong form.
    """
    for name in arguments:
        if len(arguments.getlist(name)) > 1:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name[:64]!r} is given more than once")
    try:
        return msgspec.convert(arguments.to_dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the query is not understood: {error}") from error
