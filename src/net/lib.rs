//! Sockets: SIP over UDP and TCP, the media loop, the link between the two processes.
