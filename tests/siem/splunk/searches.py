"""The searches of event types: fields and values with `*`, side by side or with OR, NOT and brackets."""

import re

TOKEN = re.compile(
    r'''\s*(?:(?P<bracket>[()])|(?P<word>OR|NOT|AND)\b|(?P<field>[\w{}.:]+)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s()"]+)))'''
)


def matches(search, fields):
    found, at = [], 0
    while search[at:].strip():
        match = TOKEN.match(search, at)
        assert match, f"not understood: {search[at:]}"
        found.append(match)
        at = match.end()
    result = _all(found, fields)
    assert not found, f"more behind the end: {search}"
    return result


def _all(found, fields):
    result = _either(found, fields)
    while found and found[0]["bracket"] != ")":
        if found[0]["word"] == "AND":
            found.pop(0)
        # Each side is read, whatever the ones before say.
        result = _either(found, fields) and result
    return result


def _either(found, fields):
    # In searches OR binds closer than AND.
    result = _one(found, fields)
    while found and found[0]["word"] == "OR":
        found.pop(0)
        result = _one(found, fields) or result
    return result


def _one(found, fields):
    match = found.pop(0)
    if match["word"] == "NOT":
        return not _one(found, fields)
    if match["bracket"] == "(":
        result = _all(found, fields)
        assert found and found.pop(0)["bracket"] == ")", "a bracket is open"
        return result
    wanted = match["quoted"] if match["quoted"] is not None else match["plain"]
    # Values are compared without regard to case.
    pattern = ".*".join(map(re.escape, wanted.split("*")))
    value = fields.get(match["field"])
    values = value if isinstance(value, list) else [] if value is None else [value]
    return any(re.fullmatch(pattern, str(one), re.S | re.I) for one in values)
