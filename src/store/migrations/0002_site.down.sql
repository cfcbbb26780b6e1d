DROP TABLE setting;
DROP TABLE session;
DROP TABLE token;
DROP TABLE user;
DROP TABLE generation;
