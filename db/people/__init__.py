"""People who use a library over a network: the door `library.people`, with their log-ins and what they did."""
