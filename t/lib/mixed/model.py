"""What a request makes of a session, as docs/directives.md has it (SessionDynamoDBUserKey)."""

import collections

USER, FORM_USER, FORM_PASSWORD = "user", "members-user", "members-pw"

# A request. `area`: "page", "members", "login", "logout", "basic", "touch" or "slow". `writes`: entry -> value, None
# for removed. `user`: who logs in by form, or whose password is sent.
Ask = collections.namedtuple("Ask", "area writes user", defaults=({}, None))

# `basic`: the user of HTTP authentication, who leaves no entry.
Session = collections.namedtuple("Session", "entries basic")

# What is to come: `shown`: entries that the page shows, None where there is no page; `user`: the user that it shows;
# `fate` of the session: "same", "written", "begun", "moved" (has a new ID), "anew" (moved, as another user's), "ended".
Answer = collections.namedtuple("Answer", "status shown user fate session")


def password(user):
    return "secret-of-" + user


def written(ask):
    if ask.area == "login":
        return {FORM_USER: ask.user, FORM_PASSWORD: password(ask.user)}
    if ask.area == "logout":
        return {FORM_USER: None, FORM_PASSWORD: None}
    return ask.writes


def apply(entries, writes):
    return {name: value for name, value in {**entries, **writes}.items() if value is not None}


def users(session, ask, after):
    """Whether somebody came, left, or is another user than before."""
    before = session.entries if session else {}
    came, left, changed = ask.area == "login", False, False
    for name in (USER, FORM_USER):
        was, now = before.get(name), after.get(name)
        came = came or was is None and now is not None
        left = left or was is not None and now is None
        changed = changed or was is not None and now is not None and was != now
    if ask.area == "basic":
        known = session.basic if session else None
        came = came or known is None
        changed = changed or known is not None and known != ask.user
    return came, left, changed or came and left


def predict(session, ask):
    before = session.entries if session else {}
    if ask.area == "members" and FORM_USER not in before:
        return Answer(401, None, None, "same", session)
    writes = written(ask)
    fate, after, basic = fate_of(session, ask, writes)
    shown = {} if session and ask.area == "basic" and session.basic not in (None, ask.user) else before
    user = {"members": before.get(FORM_USER), "basic": ask.user}.get(ask.area) or ""
    status = {"login": 302, "logout": 307}.get(ask.area, 200)
    then = None if not after else Session(after, basic)
    return Answer(status, shown if status == 200 else None, user, fate, then)


def fate_of(session, ask, writes):
    before = session.entries if session else {}
    after = apply(before, writes)
    came, left, changed = users(session, ask, after)
    now = ask.user if ask.area == "basic" else None
    basic = now or (session.basic if session else None)
    if not session:
        return ("begun" if after else "same"), after, now
    if changed:
        after = apply({}, writes)
        return ("anew" if after else "ended"), after, now
    if left or not after:
        return "ended", {}, None
    if came:
        return "moved", after, basic
    return ("same" if after == before else "written"), after, basic
