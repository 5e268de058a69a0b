"""What a line shows and tells: screens, the plant, readers of figures, a hub."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from sorter.model.settings.section import PositiveCount, Section, is_loopback


class UiSettings(Section, frozen=True):
    """Where the page is served, and who may act on it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8420
    # of the live video, which a process of its own serves; 0: the one after the page's
    video_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    preview_rate_hz: Annotated[float, Meta(gt=0.0, le=60.0)] = 10.0
    # users, the trail of what was asked, alarms and wrong PINs are kept here;
    # empty: farz/LINE_NAME in the user's folder for state
    folder: str = ""
    # true: who has logged in may act from other machines, too; needs TLS, since PINs travel
    network_may_act: bool = False
    # PEM files; with both the page is served by HTTPS
    tls_certificate: str = ""
    tls_key: str = ""
    # bundles that the screen offers for promotion lie here, each in its folder, and the site set that judges them there
    challengers_folder: str = ""
    site_set: str = ""

    def __post_init__(self) -> None:
        """Refuse half a certificate, and PINs in the clear."""
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together")
        if self.network_may_act and not self.tls_certificate:
            raise ValueError("network_may_act = true needs tls_certificate and tls_key, since PINs travel")


class MqttSettings(Section, frozen=True):
    """The plant's MQTT broker, which is told birth, state and minute figures; see sorter/plant/PLANT.md."""

    # nothing is published while this is empty
    host: str = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 1883
    # topics are PREFIX/LINE/birth, PREFIX/LINE/state and PREFIX/LINE/minute
    topic_prefix: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^#+\0]+$")] = "farz"
    username: str = ""
    # the password is this file's first line
    password_file: str = ""
    uses_tls: bool = False
    # certificates that the broker's is checked against; empty: the system's
    ca_file: str = ""

    def __post_init__(self) -> None:
        """Refuse to send a password in the clear off the box."""
        if self.password_file and not self.uses_tls and not is_loopback(self.host):
            raise ValueError(f"password_file would be sent in the clear to {self.host!r}, which needs uses_tls = true")


class PlantSettings(Section, frozen=True):
    """What the plant's control system may read."""

    # where OPC UA and Modbus TCP are served, read only and without a password: to the plant's own network at most
    host: str = "127.0.0.1"
    # 0: not served; 4840 is the usual one
    opcua_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    # 0: not served; 502 is the usual one, and needs the right to open ports below 1024
    modbus_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    mqtt: MqttSettings = MqttSettings()


class ApiSettings(Section, frozen=True):
    """Who may read figures over the network, and how they are published."""

    # the file that farz keys api writes; empty: nobody has a key
    keys_file: str = ""
    # what needs no key; figures:read publishes statistics, and nothing that names an item, a fault or a person
    public_scopes: tuple[Literal["figures:read", "events:read", "audits:read", "health:read"], ...] = ()
    # requests a minute from one address without a key; readers behind one proxy share it
    public_rate_per_min: PositiveCount = 120
    # answers that are worked on at once; who comes on top waits a moment and is then told to come back
    max_concurrent_count: Annotated[int, Meta(ge=1, le=64)] = 6
    # how the API is reached from outside, for links in the catalogue; empty: as the request reached it
    public_url: Annotated[str, Meta(pattern=r"^(https?://[^\s?#]*[^\s?#/])?$")] = ""
    # who publishes the figures, whom to ask about them (mailto: or https:), and under what licence
    publisher: Annotated[str, Meta(max_length=200)] = ""
    contact_url: Annotated[str, Meta(pattern=r"^((mailto:|https?://)\S+)?$")] = ""
    licence_url: Annotated[str, Meta(pattern=r"^https?://\S+$")] = "https://creativecommons.org/licenses/by/4.0/"


class FleetSettings(Section, frozen=True):
    """The hub that this line sends its events to; `pip install 'farz[fleet]'`."""

    # https://HOST[:PORT][/PATH] of the hub; empty: nothing is sent. Without the s on this machine alone
    hub_url: Annotated[str, Meta(pattern=r"^(https?://[^\s?#@]+)?$")] = ""
    # its first line is the key that the hub's keeper made for line_name with scope fleet:write
    key_file: str = ""
    # certificates that the hub's is checked against; empty: the system's
    ca_file: str = ""
    # a request that takes longer has failed
    timeout_s: Annotated[float, Meta(ge=1.0, le=300.0)] = 30.0

    def __post_init__(self) -> None:
        """Refuse to send events or a key in the clear off the box."""
        host = urlsplit(self.hub_url).hostname or ""
        if self.hub_url.startswith("http:") and not is_loopback(host):
            raise ValueError(f"hub_url = {self.hub_url!r} would send key and events in the clear, which needs https://")
        if self.hub_url and not self.key_file:
            raise ValueError(f"hub_url = {self.hub_url!r} needs key_file, the file with this line's key")


class HubSettings(Section, frozen=True):
    """The hub of a fleet, `farz hub`: where it listens and keeps what lines send; whose keys it knows is in `api`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8430
    # PostgreSQL's connection string (libpq); passwords are best in its password file, see PGPASSFILE
    database: str = "dbname=farz"
    # certificate chain and private key (PEM); without, TLS is a proxy's work in front of a hub on the loopback
    certificate_file: str = ""
    certificate_key_file: str = ""
    # single events are forgotten month by month once a month is so many days past; sums, audits and recipes stay
    keep_days: Annotated[int, Meta(ge=31, le=36_500)] = 800
    # batches that are written at once, each by a connection of its own
    writer_count: Annotated[int, Meta(ge=1, le=64)] = 4

    def __post_init__(self) -> None:
        """Refuse to be reachable from other boxes without TLS."""
        if bool(self.certificate_file) != bool(self.certificate_key_file):
            raise ValueError("certificate_file and certificate_key_file are needed together")
        if not self.certificate_file and not is_loopback(self.host):
            raise ValueError(f"host = {self.host!r} leaves the box, which needs certificate_file")
