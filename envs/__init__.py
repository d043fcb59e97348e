"""What the world does: the games, and the Gymnasium environments made of them."""
