"""What Schemathesis does not know by itself: how a body of JSON lines is written."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def json_lines(_context, value):
    """The description's schema of it is a text, which goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode()
