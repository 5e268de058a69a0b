"""What a network is shown: real pictures moved and relit, items laid into them, labels kept exact."""
