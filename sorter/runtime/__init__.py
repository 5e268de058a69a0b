"""What touches the operating system: clock, bus, configuration, bundles, labelled folders, supervision."""
