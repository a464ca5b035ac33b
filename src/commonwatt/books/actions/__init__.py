"""What can be done to the books: post, hold, capture, release. Each runs inside its caller's transaction."""
