"""The face: engine, command line, REST, page; what composes the packages below it."""
