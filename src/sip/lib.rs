//! RFC 3261 and family without sockets: bytes and time in, bytes and indications out.
