"""What the published description has and a keeper has not, as a table with the reasons: calls, fields of answers, fields of
requests. What has no reason here is a deviation."""
import re

# Of what is absent, after where it is absent from: the first one that matches counts.
REASONS = [
    (r"incident_templates", "there are no templates"),
    (r"subscriber|page_access|notifications_(from|email)|allow_", "there are no subscribers yet"),
    (r"organizations|users|permissions|team_members|ip_restrictions",
     "there is one token, and who sees the page is a matter of `KEEPER_PUBLIC_ADDR`"),
    (r"status_embed", "a widget has no settings"),
    (r"twitter|tweet", "nothing is posted elsewhere"),
    (r" css_|logo| hero_cover| headline| branding", "the page's look is not the API's to set"),
    (r" hidden_from_search", "`KEEPER_ROBOTS` says it"),
    (r" activity_score", "a figure of statuspage.io's own"),
    (r" (city|state|country|support_url)$", "not shown"),
    (r" automation_email", "no mail is received"),
    (r"incident` backfilled", "an incident is entered afterwards at once, or not at all"),
    (r"MetricsProvider` page_id", "described as a number, which no page's id is"),
    (r"[Mm]etric", "points are sent here, and fetched from nowhere"),
]

# What is one entry in the table.
TOGETHER = ("css_", "auto_tweet_")


def reason(subject, name):
    return next((why for pattern, why in REASONS if re.search(pattern, f"{subject} {name}")), None)


def calls(description, is_served):
    """Those that are not served, with their methods, by path."""
    for path, methods in sorted(description["paths"].items()):
        known = [method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if method.lower() in methods]
        missing = [method for method in known if not is_served(method, path)]
        if missing:
            yield "calls", path, f"`{' '.join(missing)} {path}`"


def fields(kind, described, there):
    """Those that are not there."""
    for of in sorted(described):
        for name in described[of]:
            if name not in there.get(of, ()):
                together = next((f"{prefix}…" for prefix in TOGETHER if name.startswith(prefix)), name)
                yield f"{kind} `{of}`", name, f"`{together}`"


def table(description, is_served, answered, described, taken):
    """The lines of the table, and what has no reason. The last three are fields: of answers that were there, by schema, and of
    requests that are described and that are taken, by what they are wrapped in."""
    rows, unexplained = {}, []
    schemas = {name: description["components"]["schemas"][name].get("properties", {}) for name in answered}
    absent = [*calls(description, is_served), *fields("answers:", schemas, answered), *fields("requests:", described, taken)]
    for subject, name, shown in absent:
        why = reason(subject, name)
        if why is None:
            unexplained.append(f"{subject} {shown}: is absent, and tests/api/absent.py has no reason for it")
        elif shown not in rows.setdefault((subject, why), []):
            rows[subject, why].append(shown)
    lines = ["| | not here | because |", "|---|---|---|"]
    lines += [f"| {subject} | {', '.join(shown)} | {why} |" for (subject, why), shown in rows.items()]
    return "\n".join(lines) + "\n", unexplained
