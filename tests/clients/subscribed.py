"""Reads the keeper's feed and calendar with programs of others, strictly: `subscribed.py atom|ics FILE` prints what they say."""
import json
import sys


def atom(path):
    import feedparser

    with open(path, "rb") as file:
        read = feedparser.parse(file.read(), response_headers={"content-type": "application/atom+xml; charset=utf-8"})
    assert not read.bozo, f"not well-formed: {read.get('bozo_exception')}"
    assert read.version == "atom10", read.version
    for part in [read.feed, *read.entries]:
        # What RFC 4287 requires of a feed and of an entry.
        missing = [name for name in ("id", "title", "updated_parsed", "link") if not part.get(name)]
        assert not missing, f"{missing} missing in {part}"
    assert read.feed.get("author"), "a feed has an author, where its entries have none"
    ids = [entry.id for entry in read.entries]
    assert len(ids) == len(set(ids)), "an id stands for one entry"
    entry = lambda it: {"id": it.id, "title": it.title, "link": it.link, "updated": it.updated, "content": it.content[0].value}
    links = {link.rel: link.href for link in read.feed.links}
    return {"id": read.feed.id, "title": read.feed.title, "updated": read.feed.updated, "links": links, "entries": [entry(it) for it in read.entries]}


def ics(path):
    import icalendar

    with open(path, "rb") as file:
        raw = file.read()
    assert raw.endswith(b"\r\n") and b"\n" not in raw.replace(b"\r\n", b""), "lines end in CRLF"
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75, f"a line of {len(line)} octets"
        line.decode()
    calendar = icalendar.Calendar.from_ical(raw)
    assert not calendar.errors and calendar.subcomponents, calendar.errors
    events = []
    for event in calendar.walk("VEVENT"):
        assert not event.errors, event.errors
        missing = [name for name in ("UID", "DTSTAMP", "DTSTART", "SUMMARY") if name not in event]
        assert not missing, missing
        iso = lambda name: event.decoded(name).isoformat() if name in event else None
        events.append({
            "uid": str(event["UID"]), "summary": str(event["SUMMARY"]), "status": str(event["STATUS"]),
            "description": str(event.get("DESCRIPTION", "")), "url": str(event["URL"]),
            "from": iso("DTSTART"), "until": iso("DTEND"), "sequence": int(event["SEQUENCE"]),
        })
    validated(raw.decode())
    return {"name": str(calendar["X-WR-CALNAME"]), "events": events}


def validated(text):
    """What RFC 5545 requires of each component, and how often each property may be there, by the rules of vobject."""
    import vobject

    vobject.readOne(text).validate(raiseException=True)
    without = "\r\n".join(line for line in text.split("\r\n") if not line.startswith("PRODID"))
    try:
        vobject.readOne(without).validate(raiseException=True)
    except vobject.base.ValidateError:
        return
    raise AssertionError("it finds fault with nothing")


print(json.dumps({"atom": atom, "ics": ics}[sys.argv[1]](sys.argv[2])))
