"""Join trust and repair into use cases: rotate, remediate, roll back. Written against the ports, without I/O."""
