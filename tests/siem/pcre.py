"""Regular expressions as Splunk reads them: by the library PCRE2, with the bounds that Splunk sets by itself."""

import ctypes
import functools

PCRE = ctypes.CDLL("libpcre2-8.so.0")
UTF, NO_MATCH = 0x00080000, -1
# props.conf: MATCH_LIMIT and DEPTH_LIMIT.
MATCH_LIMIT, DEPTH_LIMIT = 100_000, 1_000


def _function(name, result, *arguments):
    function = getattr(PCRE, f"pcre2_{name}_8")
    function.restype, function.argtypes = result, arguments
    return function


POINTER, SIZE, TEXT, U32 = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_uint32
_compile = _function("compile", POINTER, TEXT, SIZE, U32, POINTER, POINTER, POINTER)
_context = _function("match_context_create", POINTER, POINTER)
_match_limit = _function("set_match_limit", ctypes.c_int, POINTER, U32)
_depth_limit = _function("set_depth_limit", ctypes.c_int, POINTER, U32)
_data = _function("match_data_create_from_pattern", POINTER, POINTER, POINTER)
_free_data = _function("match_data_free", None, POINTER)
_match = _function("match", ctypes.c_int, POINTER, TEXT, SIZE, SIZE, U32, POINTER, POINTER)
_vector = _function("get_ovector_pointer", ctypes.POINTER(SIZE), POINTER)
_number = _function("substring_number_from_name", ctypes.c_int, POINTER, TEXT)


@functools.cache
def bounded(match_limit):
    context = _context(None)
    _match_limit(context, match_limit)
    _depth_limit(context, DEPTH_LIMIT)
    return context


class LimitReached(Exception):
    """Splunk gives up there, and extracts nothing."""


@functools.cache
def compiled(pattern):
    error, at = ctypes.c_int(), SIZE()
    code = pattern.encode()
    known = _compile(code, len(code), UTF, ctypes.byref(error), ctypes.byref(at), None)
    assert known, f"no regular expression ({error.value} at {at.value}): {pattern}"
    return known


def search(pattern, text, start=0, match_limit=MATCH_LIMIT):
    """A match: the texts of all groups, and where in the text, counted in bytes, the whole of it begins and ends."""
    code, subject = compiled(pattern), text.encode()
    data = _data(code, None)
    try:
        count = _match(code, subject, len(subject), start, 0, data, bounded(match_limit))
        if count == NO_MATCH:
            return None
        if count < 0:
            raise LimitReached(f"{count}: {pattern}")
        spans = _vector(data)
        pairs = [(spans[2 * at], spans[2 * at + 1]) for at in range(count)]
        return [None if begin == SIZE(-1).value else subject[begin:end].decode() for begin, end in pairs], pairs[0]
    finally:
        _free_data(data)


def group(pattern, name):
    """The number of a group by its name."""
    number = _number(compiled(pattern), name.encode())
    assert number > 0, f"no group {name}: {pattern}"
    return number
