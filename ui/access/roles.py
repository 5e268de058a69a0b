"""Who may do what: three roles, and for every address of the page the least of them that it asks for.

What is not in the table may be done by nobody; a test holds that every address is.
"""

import enum


class Role(enum.IntEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = 0
    OPERATOR = 1
    ENGINEER = 2


ROLE_NAMES = {role.name.lower(): role for role in Role}

# endpoint → least role; everything that acts on the line, its settings or its models is here by name
LEAST_ROLE: dict[str, Role] = {
    **dict.fromkeys(
        (
            "static", "events", "healthz", "metrics", "line", "live", "alarms", "alarm_list", "recipe", "stations",
            "station_nozzles", "audit", "report", "report_pdf", "models", "model_card", "settings", "help_page",
            "log_in", "check_pin", "log_out", "set_display", "explain", "picture", "about",
        ),
        Role.VIEWER,
    ),
    **dict.fromkeys(
        (
            "request", "keep", "acknowledge", "acknowledge_all", "shelve", "unshelve", "mark_wrong", "take_audit",
            "withdraw_audit",
        ),
        Role.OPERATOR,
    ),
    **dict.fromkeys(
        (
            "preview_recipe", "save_recipe", "undo_recipe", "hold_nozzle", "promote_model", "promotion_progress",
            "roll_back_model", "add_user", "remove_user", "trail",
        ),
        Role.ENGINEER,
    ),
}  # fmt: skip
