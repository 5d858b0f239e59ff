"""Know who may ask, for what and until when: protocol version 1, without I/O."""
