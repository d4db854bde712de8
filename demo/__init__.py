"""What `app.py` shows: a page with three ways in (draw, upload, webcam), and the REST API that it uses."""
