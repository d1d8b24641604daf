"""Who may call: tokens and what they allow."""
