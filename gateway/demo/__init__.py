"""Two services that show what a contract can say: a catalog of products, and an echo of every type."""
