"""Who may do what at a screen: users and their PINs, sessions, roles, and the trail of everything that was asked."""
