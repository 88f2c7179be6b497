"""The local page on which people review an audit's suspects: a server for 127.0.0.1 alone, and its page.

It needs the extra `review`. noiseaudit.review holds everything that knows no web.
"""
