"""What is compared: a row is a kind of server, a cell the circumstances, a contender a row in a cell."""

import collections

KB = 1024
# KB of session data -> bytes. The smallest is what a login leaves, some 150 bytes.
SIZES = {"0.2": 150, "1": KB, "4": 4 * KB, "64": 64 * KB, "256": 256 * KB}
COOKIE_MAX = 4000  # bytes of data that a browser takes in a cookie

# Calls to a store that each operation costs at least; those who keep sessions in a cookie make none.
OPERATIONS = {"none": 0, "read": 1, "touch": 2, "write": 2, "login": 1}
DIMENSIONS = {"mpm": ["event", "worker", "prefork"], "tls": ["plain", "tls"], "latency": ["0", "1", "5", "20"],
              "size": list(SIZES), "operation": ["read", "touch", "write", "login"],
              "clients": ["1", "8", "32", "128", "512"]}
Cell = collections.namedtuple("Cell", [*DIMENSIONS, "pinned"])
BASE = Cell("event", "plain", "0", "0.2", "read", "32", "yes")
Contender = collections.namedtuple("Contender", ["row", "cell"])


def label(contender):
    cell = contender.cell
    return ROWS[contender.row].label + {"none": ", no session", "read": ", loaded", "touch": ", touched",
                                        "write": ", changed", "login": ", new session"}[cell.operation] * (
        contender.row != "plain") + ", TLS" * (cell.tls == "tls")


DBD = """
DBDMin 1
DBDKeep {workers}
DBDMax {workers}
DBDPrepareSQL "insert into session (value, expiry, key) values (%s, %lld, %s)" insertsession
DBDPrepareSQL "update session set value = %s, expiry = %lld, key = %s where key = %s" updatesession
DBDPrepareSQL "delete from session where key = %s" deletesession
DBDPrepareSQL "select value from session where key = %s and (expiry = 0 or expiry > %lld)" selectsession
DBDPrepareSQL "delete from session where expiry != 0 and expiry < %lld" cleansession
SessionDBDCookieName session path=/"""
ROUND_TRIP = """
RoundTripPort {table}
RoundTripTimes {times}
RoundTripRequest {request}
{round_trip_ca}"""
OURS = """
SessionDynamoDB On
SessionDynamoDBEndpointURL {endpoint}
SessionDynamoDBCheckTable Off
SessionDynamoDBRegion us-east-1
SessionDynamoDBUserKey None
{ours_ca}
{ours_touch}"""


class Row:
    """modules: beyond those that every httpd has. speaks_tls: with its store. is_variant: only where it is named."""

    def __init__(self, text, settings, modules, store=None, speaks_tls=False, is_variant=False):
        self.label, self.settings, self.modules = text, settings, modules
        self.store, self.speaks_tls, self.is_variant = store, speaks_tls, is_variant

    @property
    def is_httpd(self):
        return self.settings is not None

    def warm_up(self, cell):
        """Seconds. JavaScript is compiled when it has run for a while, and handshakes take their time."""
        return 4 if not self.is_httpd else 2 if cell.tls == "tls" else 1

    @property
    def has_session(self):
        return not self.is_httpd or "session" in self.modules

    @property
    def keeps_sessions(self):
        """A client has to come with a cookie."""
        return self.has_session and self.store != "round trip"

    def skips(self, cell):
        """@return why this row has no place in the cell; None where it has one."""
        if cell.tls == "tls" and not self.speaks_tls:
            return "its store is not asked over TLS"
        if cell.latency != "0" and self.store not in ("table", "round trip"):
            return "its store is not the stand-in"
        if self.store == "cookie" and SIZES[cell.size] > COOKIE_MAX:
            return "no cookie holds it"
        if cell.mpm != "event" and not self.is_httpd:
            return "it has no MPM"
        if cell.operation == "touch" and not self.is_httpd:
            return "each of its reads is one"
        return None


def variant(text, settings, modules=()):
    """The module with an option."""
    return Row("mod_session_dynamodb, " + text, OURS + "\n" + settings, ["session", "session_dynamodb", *modules],
               "table", True, is_variant=True)


ROWS = {
    "plain": Row("plain httpd, no session", "", []),
    "bare": Row("bare round trip", ROUND_TRIP, ["round_trip"], "round trip", True),
    "floor": Row("bare round trip as a provider of mod_session", ROUND_TRIP + "\nRoundTripProvider On",
                 ["session", "round_trip"], "round trip", True),
    "libcurl": Row("libcurl alone", ROUND_TRIP + "\nRoundTripLibcurl On", ["round_trip"], "round trip", True),
    "module": Row("mod_session_dynamodb", OURS, ["session", "session_dynamodb"], "table", True),
    "signed": variant("SidKeys", "SessionDynamoDBSidKeys env:BENCH_KEY"),
    "sealed": variant("SealKeys", "SessionDynamoDBSealKeys env:BENCH_KEY"),
    "events": variant("EventLog", "SessionDynamoDBEventLog {events}\nSessionDynamoDBEventKeys env:BENCH_KEY"),
    "aging": variant("RenewInterval", "SessionDynamoDBRenewInterval 3600"),
    "token": variant("CSRFToken and FetchMetadata",
                     "SessionDynamoDBCSRFToken On\nSessionDynamoDBFetchMetadata On"),
    "bound": variant("Bind user-agent and address",
                     "SessionDynamoDBBind user-agent log\nSessionDynamoDBBind address log"),
    "listed": variant("UserSessions",
                      "SessionDynamoDBUserSessions On\nSessionDynamoDBUserSessionKeys env:BENCH_KEY"),
    "device": variant("DeviceBound", "SessionDynamoDBDeviceBound On"),
    "cached": variant("Cache", "SessionDynamoDBCache 30", ["socache_shmcb"]),
    "cookie": Row("mod_session_cookie", "SessionCookieName session path=/", ["session", "session_cookie"], "cookie"),
    "crypto": Row("mod_session_crypto, in a cookie", "SessionCookieName session path=/\nSessionCryptoPassphrase bench",
                  ["session", "session_cookie", "session_crypto"], "cookie"),
    "sqlite": Row("mod_session_dbd with sqlite", "DBDriver sqlite3\nDBDParams {sqlite}" + DBD,
                  ["dbd", "session", "session_dbd"], "sqlite"),
    "postgresql": Row("mod_session_dbd with PostgreSQL",
                      'DBDriver pgsql\nDBDParams "host=127.0.0.1 port={postgresql} user=bench dbname=bench"' + DBD,
                      ["dbd", "session", "session_dbd"], "postgresql"),
    "express": Row("connect-dynamodb, Express", None, [], "table"),
    "flask": Row("dynamodb-session-flask, gunicorn", None, [], "table"),
}


def data_of(size):
    """Form-urlencoded, in entries of 1 KB at most; a time of some 23 bytes comes behind it with each write."""
    text = "user=alice&role=editor&theme=dark&cart=4711.4712.4713&csrf=" + "0123456789abcdef" * 4
    left = SIZES[size] - len(text) - 23
    for number in range(0, 1000):
        name = "&part%03d=" % number
        if left <= len(name):
            break
        length = min(left, KB) - len(name)
        text += name + ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" * 17)[:length]
        left -= len(name) + length
    return text
