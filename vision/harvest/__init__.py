"""The harvest: pictures that are worth labelling, kept beside the line with what the network made of them."""
