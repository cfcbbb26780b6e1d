//! The web admin: axum, sessions, REST, live socket, embedded pages.
