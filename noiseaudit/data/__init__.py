"""Images and embeddings in: paths -> headers -> geometry -> decoded pixels, or an embedding file.

Start at `noiseaudit.data.load.load_images` and `noiseaudit.data.embeddings.load_embeddings`.
Thumbnails need no torch.
"""
