"""Ask AWS, with two accounts: the customer's, in which things are made, and the vendor's, which is let in."""
