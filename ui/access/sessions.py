"""Sessions of browsers: a random name in a cookie, a second one against forged requests, and who has logged in.

They live in memory alone: a restart of the page's server logs everybody out, and nothing on the disk opens a session.
"""

import secrets
import threading
from collections import OrderedDict

import msgspec

from sorter.model.units import NS_PER_S
from ui.access.roles import Role

COOKIE_NAME = "farz_session"
# somebody who has touched nothing for so long has gone; nobody stays longer than a shift
IDLE_LIMIT_NS = 15 * 60 * NS_PER_S
WHOLE_LIMIT_NS = 8 * 3600 * NS_PER_S
_MAX_COUNT = 1000


class Session(msgspec.Struct):
    """One browser.

    Attributes:
        token: its name, known to the browser alone.
        csrf: goes with everything it asks for, which another site's page cannot know.
        user_name: who has logged in, None for nobody.
        role: what that user might do when logging in.
        began_at_ns: of the log-in.
        used_at_ns: when somebody touched it last; streams do not count.
    """

    token: str
    csrf: str
    user_name: str | None = None
    role: Role = Role.VIEWER
    began_at_ns: int = 0
    used_at_ns: int = 0


class Sessions:
    """Sessions by their token; the one that was used longest ago gives way when there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def open(self, now_ns: int) -> Session:
        """A new session in which nobody has logged in."""
        session = Session(secrets.token_urlsafe(24), secrets.token_urlsafe(24), used_at_ns=now_ns)
        with self._lock:
            self._sessions[session.token] = session
            while len(self._sessions) > _MAX_COUNT:
                self._sessions.popitem(last=False)
        return session

    def find(self, token: str | None, now_ns: int) -> Session | None:
        """The session of a token; a log-in that is over is ended."""
        with self._lock:
            session = self._sessions.get(token or "")
            if session is None:
                return None
            if session.user_name is not None and _is_over(session, now_ns):
                del self._sessions[session.token]
                return None
            self._sessions.move_to_end(session.token)
            return session

    def log_in(self, session: Session, user_name: str, role: Role, now_ns: int) -> Session:
        """A new session for somebody who has logged in: the old token, which others may have set, is void."""
        self.end(session)
        fresh = self.open(now_ns)
        fresh.user_name, fresh.role, fresh.began_at_ns = user_name, role, now_ns
        return fresh

    def end(self, session: Session) -> None:
        """Make a token void."""
        with self._lock:
            self._sessions.pop(session.token, None)

    def end_of_user(self, user_name: str) -> None:
        """Log a user out everywhere."""
        with self._lock:
            for token in [token for token, one in self._sessions.items() if one.user_name == user_name]:
                del self._sessions[token]


def _is_over(session: Session, now_ns: int) -> bool:
    return now_ns - session.used_at_ns > IDLE_LIMIT_NS or now_ns - session.began_at_ns > WHOLE_LIMIT_NS
