"""One module a group of addresses: schema in, one engine call, schema out."""
