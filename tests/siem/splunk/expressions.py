"""Eval expressions of Splunk, as much of them as the add-on uses, and the checks of the Common Information Model.

Values are texts, numbers, truths, lists (a field of many values) or None. What compares with None, or is given it, is None.
"""

import re

import pcre

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<field>'[^']*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>==|!=|<=|>=|[=<>(),.]))"""
)


def tokens(text):
    at, found = 0, []
    while text[at:].strip():
        match = TOKEN.match(text, at)
        assert match, f"not understood: {text[at:]}"
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


def unescaped(text):
    """A text's own escapes are those of a quote and a backslash; others are left for the regular expression."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


class Parser:
    """An expression as a function of the fields."""

    def __init__(self, text):
        self.text, self.tokens, self.at = text, tokens(text), 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None)

    def take(self, *values):
        if self.peek()[1] is not None and self.peek()[1].upper() in values and self.peek()[0] in ("sign", "name"):
            self.at += 1
            return True
        return False

    def whole(self):
        found = self.either()
        assert self.at == len(self.tokens), f"more behind the end: {self.text}"
        return found

    def either(self):
        parts = [self.both()]
        while self.take("OR"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda fields: any_of([part(fields) for part in parts])

    def both(self):
        parts = [self.compared()]
        while self.take("AND"):
            parts.append(self.compared())
        return parts[0] if len(parts) == 1 else lambda fields: all_of([part(fields) for part in parts])

    def compared(self):
        if self.take("NOT"):
            inner = self.compared()
            return lambda fields: None if inner(fields) is None else not inner(fields)
        left = self.joined()
        for sign in ("==", "=", "!=", ">=", "<=", ">", "<"):
            if self.take(sign):
                right = self.joined()
                return lambda fields: compare(sign, left(fields), right(fields))
        return left

    def joined(self):
        parts = [self.single()]
        while self.take("."):
            parts.append(self.single())
        if len(parts) == 1:
            return parts[0]

        def join(fields):
            values = [part(fields) for part in parts]
            return None if None in values else "".join(map(str, values))

        return join

    def single(self):
        kind, value = self.peek()
        self.at += 1
        if kind == "text":
            return lambda fields, value=unescaped(value): value
        if kind == "number":
            return lambda fields, value=float(value): int(value) if value.is_integer() else value
        if kind == "field":
            return lambda fields, value=value[1:-1]: fields.get(value)
        if value == "(":
            inner = self.either()
            assert self.take(")"), f"a bracket is open: {self.text}"
            return inner
        assert kind == "name", f"{value} is no value: {self.text}"
        if not self.take("("):
            return lambda fields: fields.get(value)
        arguments = []
        first = self.tokens[self.at]
        while not self.take(")"):
            arguments.append(self.either())
            self.take(",")
        if value == "mvmap":
            return lambda fields: mapped(first[1].strip("'"), arguments[1], fields)
        return lambda fields: FUNCTIONS[value](*[argument(fields) for argument in arguments])


def parse(text):
    return Parser(text).whole()


def any_of(values):
    return True if True in values else None if None in values else False


def all_of(values):
    return False if False in values else None if None in values else True


def compare(sign, left, right):
    if left is None or right is None:
        return None
    if isinstance(left, list):
        return any(compare(sign, one, right) for one in left)
    if sign in ("=", "==", "!="):
        return (str(left) == str(right)) == (sign != "!=")
    left, right = float(left), float(right)
    return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[sign]


def case(*pairs):
    for condition, value in zip(pairs[::2], pairs[1::2]):
        if condition is True:
            return value
    return None


def mapped(name, each, fields):
    values = fields.get(name)
    values = values if isinstance(values, list) else [] if values is None else [values]
    results = [result for value in values if (result := each({**fields, name: value})) is not None]
    return None if not results else results[0] if len(results) == 1 else results


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def mvindex(values, at):
    values = as_list(values)
    return values[at] if -len(values) <= at < len(values) else None


def mvfind(values, pattern):
    return next((at for at, value in enumerate(as_list(values)) if pcre.search(pattern, value)), None)


def replace(text, pattern, by):
    if text is None:
        return None
    text, out, at = str(text), b"", 0
    subject = text.encode()
    while found := pcre.search(pattern, text, at):
        groups, (begin, end) = found
        out += subject[at:begin] + re.sub(r"\\(\d)", lambda match: groups[int(match[1])] or "", by).encode()
        if begin == end:
            break
        at = end
    return (out + subject[at:]).decode()


def is_number(value):
    return isinstance(value, (int, float)) or isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


def like(text, pattern):
    return None if None in (text, pattern) else re.fullmatch(".*".join(map(re.escape, pattern.split("%"))), str(text), re.S) is not None


FUNCTIONS = {
    "case": case,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "if": lambda condition, yes, no: yes if condition is True else no,
    "isnotnull": lambda value: value is not None,
    "isnull": lambda value: value is None,
    "isnum": is_number,
    "len": lambda text: None if text is None else len(str(text)),
    "like": like,
    "lower": lambda text: None if text is None else str(text).lower(),
    "match": lambda text, pattern: None if text is None else any(pcre.search(pattern, str(one)) for one in as_list(text)),
    "mvfind": mvfind,
    "mvindex": mvindex,
    "mvjoin": lambda values, by: None if values is None else by.join(map(str, as_list(values))),
    "null": lambda: None,
    "replace": replace,
    "true": lambda: True,
}
