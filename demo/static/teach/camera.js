// The camera: a square of its picture, live for trying, and in bursts while a button is held. The picture is not
// mirrored. Frames of one burst share a name, because they are hardly more than one picture.

import { onLanguage, say } from '../language.js';

const SIDE = { handwriting: 448, photographs: 320 }; // pixels of a frame
const SHARE = { handwriting: 0.72, photographs: 1 }; // of the shorter side; of paper only what is inside the guide
const LIVE = 200, BURST = 125; // milliseconds between two frames: to try, to record
const FAULTS = { NotAllowedError: 'cameraDenied', SecurityError: 'cameraDenied', NotFoundError: 'cameraNone', OverconstrainedError: 'cameraNone' };

export class Camera {
  constructor(root, { given, kind }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { given, kind, stream: null, which: 0, fault: '' });
    this.nodes = Object.fromEntries(['video', 'guide', 'camera-text', 'camera-wrong', 'camera-start', 'camera-stop', 'camera-other'].map((id) => [id, find(id)]));
    this.nodes['camera-start'].addEventListener('click', () => this.start());
    this.nodes['camera-stop'].addEventListener('click', () => this.stop());
    this.nodes['camera-other'].addEventListener('click', () => this.start(this.which + 1));
    document.addEventListener('visibilitychange', () => document.hidden && this.stop());
    onLanguage(() => this.draw());
  }

  get on() { return this.stream !== null; }

  async start(which = null) {
    this.stop();
    const attempt = this.attempt;
    if (!navigator.mediaDevices?.getUserMedia) return this.wrong('cameraInsecure');
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: await this.wanted(which) });
      if (attempt !== this.attempt) return end(stream);
      this.stream = stream;
      this.nodes.video.srcObject = stream;
      await this.nodes.video.play();
    } catch (error) {
      if (attempt === this.attempt) { this.stop(); this.wrong(FAULTS[error.name] ?? 'cameraBusy'); }
      return null;
    }
    this.draw();
    return this.live(attempt);
  }

  async wanted(which) {
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === 'videoinput');
    this.several = cameras.length > 1;
    if (which === null) return { ...size, facingMode: { ideal: this.kind() === 'handwriting' ? 'environment' : 'user' } };
    this.which = which % cameras.length;
    return { ...size, deviceId: { exact: cameras[this.which].deviceId } };
  }

  stop() {
    this.attempt = (this.attempt ?? 0) + 1;
    this.fault = '';
    this.recording = false;
    if (this.stream) end(this.stream);
    this.stream = this.nodes.video.srcObject = null;
    this.draw();
  }

  wrong(key) {
    this.fault = key;
    this.draw();
  }

  async live(attempt) {
    while (attempt === this.attempt) {
      if (!this.recording) this.given(await this.frame());
      await pause(LIVE);
    }
  }

  // Frames from now until `finish` is called, each handed to `take(file, burst)`; one at least.
  async record(take) {
    if (!this.on || this.recording) return;
    const attempt = this.attempt, burst = crypto.getRandomValues(new Uint32Array(2)).join('-');
    this.recording = true;
    do {
      const due = performance.now() + BURST;
      take(await this.frame(), burst);
      await pause(Math.max(0, due - performance.now()));
    } while (this.recording && attempt === this.attempt);
  }

  finish() { this.recording = false; }

  frame() {
    const { videoWidth: width, videoHeight: height } = this.nodes.video;
    const side = Math.min(width, height) * SHARE[this.kind()];
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIDE[this.kind()];
    canvas.getContext('2d').drawImage(this.nodes.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, canvas.width, canvas.width);
    return new Promise((resolve) => canvas.toBlob((blob) => resolve(new File([blob], 'camera.jpg', { type: blob.type })), 'image/jpeg', 0.92));
  }

  draw() {
    const { video, guide } = this.nodes;
    video.hidden = !this.on;
    guide.hidden = !this.on || this.kind() !== 'handwriting';
    this.nodes['camera-text'].hidden = this.on;
    this.nodes['camera-wrong'].textContent = this.fault && say(this.fault);
    this.nodes['camera-stop'].disabled = !this.on;
    this.nodes['camera-other'].hidden = !this.on || !this.several;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}
