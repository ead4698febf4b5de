"""Splunk's .conf files: stanzas with settings, in their order. A backslash at the end of a line goes on with the next."""


def read(path):
    stanzas, current = {}, None
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        while line.endswith("\\"):
            line = line[:-1] + "\n" + next(lines, "")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith("["):
            name = line.strip()[1:-1]
            assert name not in stanzas, f"{path.name}: [{name}] stands there twice"
            current = stanzas[name] = {}
        else:
            key, equals, value = line.partition("=")
            assert equals and current is not None, f"{path.name}: no setting of a stanza: {line}"
            key = key.strip()
            assert key not in current, f"{path.name}: {key} stands in a stanza twice"
            current[key] = value.strip()
    return stanzas
