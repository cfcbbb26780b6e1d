//! RTP to RTP without sockets or files: packets and ticks in, packets, events and file bytes out.
