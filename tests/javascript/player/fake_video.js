// A video element to test decks with: it plays nothing by itself, and shows the frames that a test presents.

import { settled } from '../fake_server.js';

/** The part of a video element that decks use. */
export class FakeVideo extends EventTarget {
  /**
   * @param {object} [options]
   * @param {number} [options.start] The element's own time of the file's first frame.
   * @param {(address: string) => boolean} [options.plays] Whether it can play what is at an address.
   * @param {boolean} [options.callbacks] Whether it calls back for each frame.
   */
  constructor({ start = 0, plays = () => true, callbacks = true } = {}) {
    super();
    this.start = start;
    this.plays = plays;
    this.paused = true;
    this.seeking = false;
    this.muted = false;
    this.playsInline = false;
    this.playbackRate = 1;
    this.videoWidth = 0;
    this.videoHeight = 180;
    this.readyState = 4;
    this.preload = '';
    this.src = '';
    this.silentOnly = false; // whether the browser lets nothing sound yet
    this.time = 0;
    /** @type {number[]} */
    this.sought = [];
    /** @type {VideoFrameRequestCallback[]} */
    this.waiting = [];
    if (callbacks) {
      /** @param {VideoFrameRequestCallback} callback */
      this.requestVideoFrameCallback = (callback) => this.waiting.push(callback);
    }
  }

  /** As the type that decks ask for. */
  get element() {
    return /** @type {HTMLVideoElement} */ (/** @type {unknown} */ (this));
  }

  get currentTime() {
    return this.time;
  }

  set currentTime(seconds) {
    if (!Number.isFinite(seconds)) throw new TypeError('The provided double value is non-finite.');
    this.time = seconds;
    this.seeking = true;
    this.sought.push(seconds);
  }

  get currentSrc() {
    return this.src;
  }

  load() {
    const { src } = this;
    if (!src) return;
    queueMicrotask(() => {
      if (!this.plays(src)) {
        this.dispatchEvent(new Event('error'));
        return;
      }
      this.videoWidth = 320;
      this.dispatchEvent(new Event('loadeddata'));
      this.present(this.start);
    });
  }

  async play() {
    if (this.silentOnly && !this.muted)
      throw Object.assign(new Error('Touch the page first.'), { name: 'NotAllowedError' });
    this.paused = false;
    this.dispatchEvent(new Event('play'));
    await Promise.resolve();
  }

  pause() {
    if (this.paused) return;
    this.paused = true;
    queueMicrotask(() => this.dispatchEvent(new Event('pause')));
  }

  /** @param {string} name */
  removeAttribute(name) {
    if (name === 'src') this.src = '';
  }

  /**
   * Show a picture, as the browser does some time after a seek, or while it plays.
   *
   * @param {number} mediaTime The element's own time.
   */
  present(mediaTime) {
    if (!this.paused) this.time = mediaTime;
    const about = /** @type {VideoFrameCallbackMetadata} */ ({ mediaTime });
    for (const callback of this.waiting.splice(0)) callback(0, about);
  }

  /** End a seek: the event first, the picture after it. */
  arrive(mediaTime = this.time) {
    this.seeking = false;
    this.dispatchEvent(new Event('seeked'));
    this.present(mediaTime);
  }

  /** Come to the end of the file, where browsers pause by themselves. */
  async end() {
    this.pause();
    await settled();
    this.dispatchEvent(new Event('ended'));
    await settled();
  }
}
