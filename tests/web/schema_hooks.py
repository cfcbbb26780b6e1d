"""What schemathesis does not know by itself: a site as text and a sound are sent as they are."""
import schemathesis


def as_it_is(value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.serializer("application/toml")
def toml(ctx, value):
    return as_it_is(value)


@schemathesis.serializer("audio/wav")
def wav(ctx, value):
    return as_it_is(value)
