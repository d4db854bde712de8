"""Starts the demo: `python app.py`, then open http://127.0.0.1:7860. On a Hugging Face Space this is the app file."""

from demo.commands import main

if __name__ == "__main__":
    main()
