// A digit in front of the camera, live or as a snapshot. The picture is not mirrored (a mirrored digit is another sign),
// the camera at the back is preferred (paper lies in front of a phone), and only what is inside the guide is sent.

import { onLanguage, say } from './language.js';

const SIDE = 448; // pixels of the picture that is sent
const GUIDE = 0.72; // of the shorter side of the camera's picture, as drawn by the guide
const PAUSE = 200; // milliseconds between two live pictures
const FAULTS = { NotAllowedError: 'cameraDenied', SecurityError: 'cameraDenied', NotFoundError: 'cameraNone', OverconstrainedError: 'cameraNone' };

export class Webcam {
  constructor(root, { given, wrong, waiting }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { given, wrong, waiting });
    this.nodes = Object.fromEntries(
      ['video', 'still', 'guide', 'snapshot', 'live', 'camera-text', 'camera-start', 'camera-stop', 'camera-other']
        .map((id) => [id, find(id)]));
    this.stream = null;
    this.frozen = false;
    this.which = 0;
    this.nodes['camera-start'].addEventListener('click', () => this.start());
    this.nodes['camera-stop'].addEventListener('click', () => { this.stop(); this.waiting(); });
    this.nodes['camera-other'].addEventListener('click', () => this.start(this.which + 1));
    this.nodes.snapshot.addEventListener('click', () => (this.frozen ? this.resume() : this.freeze()));
    this.nodes.live.addEventListener('change', () => this.nodes.live.checked && this.resume());
    document.addEventListener('visibilitychange', () => document.hidden && this.stop());
    onLanguage(() => this.draw());
  }

  async start(which = null) {
    this.stop();
    const attempt = (this.attempt = (this.attempt ?? 0) + 1);
    if (!navigator.mediaDevices?.getUserMedia) return this.wrong('cameraInsecure');
    try {
      const video = await this.wanted(which);
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
      if (attempt !== this.attempt) return stop(stream); // the tab was left while the browser asked
      this.stream = stream;
      this.nodes.video.srcObject = stream;
      await this.nodes.video.play();
    } catch (error) {
      if (attempt !== this.attempt) return null; // another one has begun, or the tab was left: this fault is nobody's
      this.stop();
      return this.wrong(FAULTS[error.name] ?? 'cameraBusy');
    }
    this.resume();
    return this.live(attempt);
  }

  async wanted(which) {
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === 'videoinput');
    this.several = cameras.length > 1;
    if (which === null) return { ...size, facingMode: { ideal: 'environment' } };
    this.which = which % cameras.length;
    return { ...size, deviceId: { exact: cameras[this.which].deviceId } };
  }

  stop() {
    this.attempt = (this.attempt ?? 0) + 1;
    if (this.stream) stop(this.stream);
    this.stream = this.nodes.video.srcObject = null;
    this.frozen = false;
    this.draw();
  }

  async live(attempt) {
    while (attempt === this.attempt) {
      if (!this.frozen && this.nodes.live.checked) await this.look();
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  async look(snapshot = false) {
    const frame = this.frame();
    const picture = await new Promise((resolve) => frame.toBlob(resolve, 'image/jpeg', 0.92));
    if (this.stream && picture) this.given(picture, snapshot);
  }

  // The square inside the guide.
  frame() {
    const { videoWidth: width, videoHeight: height } = this.nodes.video;
    const side = Math.min(width, height) * GUIDE;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIDE;
    canvas.getContext('2d').drawImage(this.nodes.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    return canvas;
  }

  freeze() {
    const { video, still } = this.nodes;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d').drawImage(video, 0, 0);
    this.look(true);
    this.frozen = true;
    this.draw();
  }

  resume() {
    this.frozen = false;
    this.draw();
  }

  draw() {
    const on = this.stream !== null;
    const { video, still, guide, snapshot } = this.nodes;
    video.hidden = !on || this.frozen;
    still.hidden = !on || !this.frozen;
    guide.hidden = !on;
    this.nodes['camera-text'].hidden = on;
    this.nodes['camera-stop'].disabled = snapshot.disabled = !on;
    this.nodes['camera-other'].hidden = !on || !this.several;
    snapshot.firstElementChild.textContent = say(this.frozen ? 'again' : 'snapshot');
  }
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}
