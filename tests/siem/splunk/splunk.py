"""What Splunk makes of lines by an add-on's settings, as its documentation says it: events, times, fields, event types, tags."""

import calendar
import json
import re

import confs
import expressions
import pcre
import searches

# limits.conf, [spath] extraction_cutoff: so much of an object is taken apart by itself.
CUTOFF = 5000
# transforms.conf, LOOKAHEAD: so much of an event is looked at without one.
LOOKAHEAD = 4096

# What a TIME_FORMAT asks for.
PARTS = {"Y": r"(?P<Y>\d{4})", "s": r"(?P<s>\d{10})", **{name: rf"(?P<{name}>\d\d)" for name in "mdHMS"}}


class AddOn:
    def __init__(self, folder):
        self.props, self.transforms, self.eventtypes, self.tags, self.inputs = (
            confs.read(folder / "default" / f"{name}.conf") for name in ("props", "transforms", "eventtypes", "tags", "inputs")
        )

    def index(self, stream, sourcetype, host):
        """The events of what an input has read."""
        props = self.props[sourcetype]
        assert props["SHOULD_LINEMERGE"] == "false"
        events, at = [], 0
        while at < len(stream.encode()):
            found = pcre.search(props["LINE_BREAKER"], stream, at)
            # The first group is what is left out between two events.
            begin, end = found[1] if found else (len(stream.encode()),) * 2
            raw = stream.encode()[at:begin][: int(props["TRUNCATE"]) or None].decode(errors="ignore")
            if raw:
                events.append(self._event(raw, sourcetype, host))
            at = end
        return events

    def _event(self, raw, sourcetype, host):
        props = self.props[sourcetype]
        event = {"_raw": raw, "_time": time_of(props, raw), "host": host, "sourcetype": sourcetype}
        for name in [name.strip() for key, names in props.items() if key.startswith("TRANSFORMS-") for name in names.split(",")]:
            transform = self.transforms[name]
            found = pcre.search(transform["REGEX"], event["_raw"][: int(transform.get("LOOKAHEAD", LOOKAHEAD))])
            if not found:
                continue
            groups = found[0]
            value = re.sub(r"\$(\d)", lambda match: groups[int(match[1])] or "", transform["FORMAT"])
            key = {"_raw": "_raw", "MetaData:Host": "host", "MetaData:Sourcetype": "sourcetype"}[transform["DEST_KEY"]]
            prefix = "" if key == "_raw" else f"{key}::"
            assert value.startswith(prefix), f"{name}: FORMAT has to begin with {prefix}"
            event[key] = value[len(prefix) :]
        return event

    def fields(self, event):
        """What a search knows of an event."""
        props, fields = self.props[event["sourcetype"]], dict(event)
        for key in sorted(key for key in props if key.startswith("EXTRACT-")):
            pattern = props[key]
            try:
                found = pcre.search(pattern, event["_raw"], match_limit=int(props.get("MATCH_LIMIT", pcre.MATCH_LIMIT)))
            except pcre.LimitReached:
                found = None
            for name in re.findall(r"\(\?<([A-Za-z_]\w*)>", pattern) if found else []:
                number = pcre.group(pattern, name)
                if number < len(found[0]) and found[0][number]:
                    fields[name] = found[0][number]
        if props.get("KV_MODE") == "json":
            for name, value in flattened(event["_raw"].encode()[:CUTOFF].decode(errors="ignore")):
                known = fields.get(name)
                fields[name] = value if known is None else [*(known if isinstance(known, list) else [known]), value]
        for key in (key for key in props if key.startswith("FIELDALIAS-")):
            there, name = re.fullmatch(r"(\S+)\s+AS\s+(\S+)", props[key]).groups()
            if there in fields:
                fields[name] = fields[there]
        # All at once: none sees what another has made.
        made = {key.removeprefix("EVAL-"): expressions.parse(props[key])(fields) for key in props if key.startswith("EVAL-")}
        fields.update({name: value for name, value in made.items() if value is not None})
        fields["eventtype"] = [name for name, eventtype in self.eventtypes.items() if searches.matches(eventtype["search"], fields)]
        tags = [self.tags.get(f"eventtype={name}", {}) for name in fields["eventtype"]]
        fields["tag"] = sorted({tag for tags in tags for tag, is_on in tags.items() if is_on == "enabled"})
        return fields


def time_of(props, raw):
    """Nanoseconds since the Unix epoch; none if nothing is found where the time should stand."""
    found = pcre.search(props["TIME_PREFIX"], raw)
    if not found:
        return None
    text = raw.encode()[found[1][1] :].decode()[: int(props["MAX_TIMESTAMP_LOOKAHEAD"])]
    pattern = re.sub(r"%(\d)N", r"(?P<N>\\d{\1})", re.escape(props["TIME_FORMAT"]).replace(r"\%", "%"))
    pattern = re.sub(r"%([YmdHMSs])", lambda match: PARTS[match[1]], pattern)
    assert "%" not in pattern, f"a part of a time that this does not know: {pattern}"
    match = re.match(pattern, text)
    if not match:
        return None
    part = match.groupdict()
    if "s" in part:
        seconds = int(part["s"])
    else:
        assert props.get("TZ") == "UTC", "the time says no zone, and TZ neither"
        seconds = calendar.timegm(tuple(int(part[name]) for name in "YmdHMS"))
    return seconds * 1_000_000_000 + int(part["N"].ljust(9, "0"))


STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
WORD = re.compile(r"[^\s,\]}]+")


def flattened(text):
    """Names and values of an object's members, `a.b` within one another and `a{}` in a list, as far as the text goes."""

    def space(at):
        while at < len(text) and text[at] in " \t,:":
            at += 1
        return at

    def value(at, name):
        at = space(at)
        if at >= len(text):
            return at
        if text[at] == "{":
            at = space(at + 1)
            while at < len(text) and text[at] != "}":
                key = STRING.match(text, at)
                if not key:
                    return len(text)
                own = json.loads(key[0])
                at = space((yield from value(key.end(), f"{name}.{own}" if name else own)))
            return at + 1
        if text[at] == "[":
            at = space(at + 1)
            while at < len(text) and text[at] != "]":
                at = space((yield from value(at, name + "{}")))
            return at + 1
        found = (STRING if text[at] == '"' else WORD).match(text, at)
        # What the end cuts is not told.
        if not found or found.end() == len(text):
            return len(text)
        yield name, json.loads(found[0]) if text[at] == '"' else found[0]
        return found.end()

    yield from value(0, "")
