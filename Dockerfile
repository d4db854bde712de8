# syntax=docker/dockerfile:1
# The demo and its REST API, for a CPU: `docker build -t handwriter . && docker run --rm -p 127.0.0.1:7860:7860 handwriter`.
# Options of app.py go behind the image's name. What is to stay (models of your own, corrections) belongs in /data.

FROM python:3.12-slim-bookworm AS packages
# Of requirements.txt, what only the crawler, the curation commands and training import; a test compares it.
ARG LEFT_OUT="scikit-image|matplotlib|selenium|aiohttp|yarl|Protego|cleanlab|optuna|tomlkit|pyarrow"
# The CPU index that PyTorch's installation page names: without it, torch may bring 3 GB for graphics cards. The versions
# are the same, so the pins are. docker build --build-arg TORCH_INDEX=https://… .
ARG TORCH_INDEX
COPY requirements.txt /tmp/
RUN grep -vE "^(${LEFT_OUT})==" /tmp/requirements.txt > /tmp/runtime.txt \
    && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "${TORCH_INDEX}"} -r /tmp/runtime.txt

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-nanum \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home handwriter \
    && install -d -o handwriter /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE app.py ./
COPY handwriter_models handwriter_models
COPY curation curation
COPY demo demo
# Compiled now: the program cannot write here later, and starts quicker so.
RUN /opt/venv/bin/python -m compileall -q app.py handwriter_models curation demo
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    HF_HOME=/data/hub \
    TORCH_HOME=/data/torch
USER 1000
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0", "--port", "7860"]
