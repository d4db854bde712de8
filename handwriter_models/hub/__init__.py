"""Bundles on the Hugging Face Hub: `load("user/repo")`, `publish_bundle`, and Spaces that serve them.

`refs` reads names, `connection` speaks to the Hub and turns its errors into ours, `download` brings a bundle into the
Hub's cache, `push` sends what differs of a folder, `publish` a bundle, `space` builds a Gradio Space. huggingface_hub
is imported when the first of them is called, so that models on the disk never wait for it. Of a repository only
safetensors, JSON, the card and figures are ever fetched; no token is printed, and none is sent unless it is asked for.
"""
