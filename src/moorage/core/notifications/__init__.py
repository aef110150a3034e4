"""Topics in the manner of SNS: who is subscribed, and what is sent to them."""
