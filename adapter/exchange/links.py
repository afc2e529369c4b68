"""Which addresses belong to a target: the configured base, what lies under it, and nothing else.

HAPI builds paging links from the Host header (measured), so scheme and port may be those of a server behind a
TLS proxy, but the host and the start of the path must be ours. A link is always rebuilt on the configured
base.
"""

from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

from ..errors import UnsafeLink


def own_link(base: str, link: str, target: str) -> str:
    """``link`` (absolute or relative) rebuilt on ``base``, with ``_pretty=false`` put back (HAPI drops it).

    ``UnsafeLink`` when it leaves the base. Messages name the target, never the link.

    >>> own_link("https://a.example/fhir", "http://a.example:8080/fhir?_getpages=1", "ward")
    'https://a.example/fhir?_getpages=1&_pretty=false'
    """
    ours = urlsplit(base)
    try:
        theirs = urlsplit(urljoin(base + "/", link))
        host, login = theirs.hostname, theirs.username or theirs.password
        path = unquote(theirs.path)
    except ValueError:
        raise UnsafeLink(f"target {target}: a link that cannot be read; not followed") from None
    inside = path == ours.path or path.startswith(ours.path.rstrip("/") + "/") or path == ours.path + "/"
    if theirs.scheme not in ("http", "https") or host != ours.hostname or login or not inside:
        raise UnsafeLink(f"target {target}: a link leaves the configured base address; not followed")
    if ".." in path or "\\" in path:
        raise UnsafeLink(f"target {target}: a link with a path that climbs; not followed")
    pairs = parse_qsl(theirs.query, keep_blank_values=True)
    query = theirs.query
    if not any(name == "_pretty" for name, _ in pairs):
        query = f"{query}&_pretty=false" if query else urlencode({"_pretty": "false"})
    return urlunsplit((ours.scheme, ours.netloc, theirs.path, query, ""))


def escape_token(value: str) -> str:
    r"""A search value with FHIR's separators escaped.

    >>> escape_token("a,b|c$d\\e")
    'a\\,b\\|c\\$d\\\\e'
    """
    for sign in "\\,|$":
        value = value.replace(sign, "\\" + sign)
    return value
