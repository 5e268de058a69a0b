"""How a challenger that looks along agrees with the model in use, on a belt of which nobody knows the truth."""

import msgspec


class ShadowReport(msgspec.Struct, frozen=True):
    """Items of the views at which both have looked; which of the two is right, the site set must say.

    Attributes:
        challenger_id: the model that looks along; empty while it is being opened.
        same_count: both saw an item there and named it alike; `other_class_count`: they named it otherwise.
        champion_only_count: only the model in use saw it; `challenger_only_count`: only the challenger did.
        fault: why it does not look, empty if it does.
    """

    challenger_id: str
    view_count: int
    same_count: int
    other_class_count: int
    champion_only_count: int
    challenger_only_count: int
    fault: str = ""
