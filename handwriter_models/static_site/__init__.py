"""A page with its models in it, for any host of plain files: nothing is sent anywhere, no server is needed."""
