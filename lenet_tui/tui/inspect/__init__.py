"""The inspect screen: errors, t-SNE map, layers and the drawing canvas."""
