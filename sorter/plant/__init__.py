"""From the line to the plant's control system: OPC UA, read only; decides nothing."""
