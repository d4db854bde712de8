"""What `app.py` shows: one page with three ways in (draw, upload, webcam) and the REST API that the page itself uses."""
