// Deck: a video element that knows the frames of a stretch of a video, for exact seeks, single steps, J K L and a stop at
// the end. Only one deck plays at a time.

import { api } from '../core/api.js';
import { frameNumber } from '../core/timecode.js';

const PROXY_POLL_MILLISECONDS = 400;
const FIRST_FRAME_MILLISECONDS = 1500;
/** @type {Deck | null} */
let playing = null;

/** @typedef {import('../core/types.js').SegmentInfo} SegmentInfo */

/**
 * Events: 'frame' (another frame is shown), 'state' (playing, paused, loading, failed). Times are seconds from the video's
 * first frame shown; indices count the frames of the stretch.
 */
export class Deck extends EventTarget {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    super();
    this.video = video;
    this.ticket = 0;
    this.presented = null;
    this.clear();
    video.playsInline = true;
    for (const name of ['play', 'pause', 'seeked', 'waiting', 'playing', 'ratechange', 'volumechange']) {
      video.addEventListener(name, () => {
        this.readElement();
        this.emit('state');
      });
    }
    // A range may reach to the end of the video, where the element stops by itself.
    video.addEventListener('ended', () => this.loop && this.stop && this.play());
    if (video.requestVideoFrameCallback) {
      const onFrame = (_, about) => {
        video.requestVideoFrameCallback(onFrame);
        if (this.presented === null) {
          this.presented = about.mediaTime;
          this.emit('presented');
        }
        const seconds = about.mediaTime + this.offset;
        // Frames of earlier seeks still arrive while a person steps on quickly; only the latest seek counts.
        if (this.wanted !== null && video.paused && this.indexAt(seconds + 1e-3) !== this.wanted) return;
        this.wanted = null;
        this.shown = seconds;
        this.emit('frame');
        this.keepWithinStop();
      };
      video.requestVideoFrameCallback(onFrame);
    } else {
      video.addEventListener('timeupdate', () => {
        this.readElement();
        this.keepWithinStop();
      });
    }
  }

  clear() {
    /** @type {SegmentInfo | null} */
    this.info = null;
    /** @type {{seconds: number[], pts: number[]} | null} */
    this.frames = null; // of the stretch; null where the server could not read them
    this.offset = 0; // seconds of the video at which the element's own time begins
    this.first = 0; // the stretch, seconds from the first frame shown
    this.last = 0;
    /** @type {{from: number, to: number} | null} */
    this.stop = null; // playing stays within, and stops before `to`
    this.loop = false;
    this.shown = 0;
    /** @type {number | null} */
    this.wanted = null; // index of the latest frame sought, until it is shown
    this.status = 'empty';
    this.message = '';
    /** @type {{speed: number, timer?: number} | null} */
    this.reverse = null;
  }

  /**
   * Load a stretch around a segment. `status` tells whether it can be played.
   *
   * @param {number} segment
   * @param {object} [options]
   * @param {number | null} [options.from] Seconds, clamped to the video; by default `margin` before the segment.
   * @param {number | null} [options.to] Seconds, clamped to the video; by default `margin` after the segment.
   * @param {number} [options.margin] Seconds.
   * @returns {Promise<SegmentInfo | null>} null where another load has begun meanwhile.
   * @throws {import('../core/api.js').ApiError} The segment is unknown.
   */
  async load(segment, { from = null, to = null, margin = 10 } = {}) {
    const ticket = (this.ticket += 1);
    this.pause();
    this.clear();
    this.setStatus('loading');
    const info = await api(`/api/segment/${segment}`);
    if (ticket !== this.ticket) return null;
    this.info = info;
    this.first = Math.max(0, from ?? info.start - margin);
    this.last = Math.min(info.duration, to ?? info.end + margin, this.first + 120);
    this.shown = info.start;
    const frames = api(`/api/frames/${segment}?from=${this.first}&to=${this.last}`).catch(() => null);
    if (info.missing) {
      this.fail('The file is not there now. Is its drive connected? Poster and preview are still here.');
      return info;
    }
    const direct = info.playable !== false && (await this.open(`/api/video/${segment}`, ticket));
    if (ticket !== this.ticket) return null;
    // The library counts from the first frame shown; a browser counts from where the file says its time begins.
    if (direct) this.offset = -(await this.firstFrameTime());
    if (ticket !== this.ticket) return null;
    if (!direct && !(await this.openProxy(segment, ticket))) return ticket === this.ticket ? info : null;
    const known = await frames;
    if (ticket !== this.ticket) return null;
    if (known?.seconds?.length) this.frames = known;
    if (this.status === 'loading') this.setStatus('ready');
    return info;
  }

  /** Point the element at an address. Returns false where the browser cannot play what is there. */
  open(address, ticket) {
    return new Promise((resolve) => {
      const done = (good) => {
        this.video.removeEventListener('loadeddata', loaded);
        this.video.removeEventListener('error', failed);
        resolve(good);
      };
      // A browser that can decode the sound but not the pictures plays without them.
      const loaded = () => done(ticket === this.ticket && this.video.videoWidth > 0);
      const failed = () => done(false);
      this.video.addEventListener('loadeddata', loaded);
      this.video.addEventListener('error', failed);
      this.presented = null; // the element's own time of the first frame that it shows
      this.video.preload = 'auto';
      this.video.src = address;
      this.video.load();
    });
  }

  /** Return the element's own time of its first frame; 0 where the browser does not report it. */
  firstFrameTime() {
    const { video } = this;
    if (!video.requestVideoFrameCallback) return Promise.resolve(0);
    if (this.presented !== null) return Promise.resolve(this.presented);
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(patience);
        this.removeEventListener('presented', done);
        resolve(this.presented ?? 0);
      };
      const patience = setTimeout(done, FIRST_FRAME_MILLISECONDS);
      this.addEventListener('presented', done);
    });
  }

  /** Have the server make a copy that any browser plays (a proxy), and open it. */
  async openProxy(segment, ticket) {
    try {
      let state = await api(`/api/proxy/${segment}`, { method: 'POST' });
      while (state.state === 'making') {
        if (ticket !== this.ticket) return false;
        const share = state.progress ? ` ${Math.round(state.progress * 100)} %` : '';
        this.setStatus('loading', `Browsers cannot play this format; making a small copy …${share}`);
        await new Promise((resolve) => setTimeout(resolve, PROXY_POLL_MILLISECONDS));
        state = await api(`/api/proxy/${segment}`);
      }
      if (ticket !== this.ticket) return false;
      if (state.state === 'ready') {
        this.offset = state.offset;
        this.first = Math.max(this.first, state.offset);
        this.last = Math.min(this.last, state.offset + state.duration);
        if (await this.open(state.url, ticket)) return true;
        this.fail('The copy made for the browser cannot be played either.');
        return false;
      }
      this.fail(state.error ?? 'No copy could be made for the browser.');
    } catch (error) {
      if (ticket === this.ticket) this.fail(error.message);
    }
    return false;
  }

  /** Leave the video. */
  unload() {
    this.ticket += 1;
    this.pause();
    this.video.removeAttribute('src');
    this.video.load();
    this.clear();
    if (playing === this) playing = null;
  }

  /** @param {string} message Sentence that says why it cannot be played. */
  fail(message) {
    this.setStatus('failed', message);
  }

  setStatus(status, message = '') {
    this.status = status;
    this.message = message;
    this.emit('state');
  }

  emit(name) {
    this.dispatchEvent(new Event(name));
  }

  /** Nominal frames a second. */
  get rate() {
    return this.info ? this.info.rate[0] / this.info.rate[1] : 25;
  }

  /** Time of the frame that is shown. */
  get now() {
    return this.shown;
  }

  get paused() {
    return this.video.paused && this.reverse === null;
  }

  /** Take the time from the element's clock: where frame callbacks are missing, or while it is paused. */
  readElement() {
    if (!this.info || this.status !== 'ready' || (this.video.paused && this.video.seeking)) return;
    const at = this.video.currentTime + this.offset;
    const index = this.indexAt(at);
    const shown = this.timeOf(index);
    if (Math.abs(shown - this.shown) > 1e-6) {
      this.shown = shown;
      this.emit('frame');
    }
  }

  /**
   * Return the index of the frame shown at a time; from the video's first, by its rate, where `frames` is null.
   *
   * @param {number} seconds
   * @returns {number}
   */
  indexAt(seconds) {
    if (!this.frames) return Math.floor(seconds * this.rate + 1e-3);
    const times = this.frames.seconds;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= seconds + 1e-4) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Return the index of the first frame that begins at a time or after it. A part of a long shot may begin between two.
   *
   * @param {number} seconds
   * @returns {number}
   */
  indexFrom(seconds) {
    const index = this.indexAt(seconds);
    return this.timeOf(index) < seconds - 1e-4 ? index + 1 : index;
  }

  timeOf(index) {
    if (!this.frames) return index / this.rate;
    const times = this.frames.seconds;
    return times[Math.min(Math.max(index, 0), times.length - 1)];
  }

  /** Return the time at which a frame ends: that of the next one. */
  endOf(index) {
    if (!this.frames) return (index + 1) / this.rate;
    const times = this.frames.seconds;
    return index + 1 < times.length ? times[index + 1] : Math.min(times[index] + 1 / this.rate, this.info.duration);
  }

  /** Return the pts of a frame; null where `frames` is. */
  ptsOf(index) {
    return this.frames ? this.frames.pts[Math.min(Math.max(index, 0), this.frames.pts.length - 1)] : null;
  }

  endPtsOf(index) {
    if (!this.frames) return null;
    if (index + 1 < this.frames.pts.length) return this.frames.pts[index + 1];
    const base = this.info.time_base[0] / this.info.time_base[1];
    return this.frames.pts[index] + Math.max(1, Math.round((this.endOf(index) - this.timeOf(index)) / base));
  }

  get index() {
    return this.wanted ?? this.indexAt(this.shown + (this.frames ? 1e-3 : 0));
  }

  /** Return the number of the frame as edit lists count: from the video's first, at its nominal rate. */
  numberOf(seconds) {
    return frameNumber(seconds, this.rate);
  }

  /** Seek to a frame. */
  show(index) {
    const start = this.timeOf(index);
    const end = this.endOf(index);
    this.seek((start + end) / 2);
    this.wanted = this.frames ? Math.min(Math.max(index, 0), this.frames.seconds.length - 1) : Math.max(0, index);
    this.shown = start;
    this.emit('frame');
  }

  seek(seconds) {
    const low = this.first;
    const high = Math.max(low, this.last - 0.5 / this.rate);
    this.video.currentTime = Math.max(0, Math.min(Math.max(seconds, low), high) - this.offset);
  }

  seekTo(seconds) {
    this.show(this.indexAt(Math.min(Math.max(seconds, this.first), this.last)));
  }

  step(frames) {
    this.pause();
    this.show(this.index + frames);
  }

  async play(speed = 1) {
    if (this.status !== 'ready') return;
    this.stopReverse();
    if (playing && playing !== this) playing.pause();
    playing = this;
    this.video.playbackRate = speed;
    this.wanted = null;
    if (this.stop && this.now >= this.timeOf(this.indexAt(this.stop.to - 1e-3)) - 1e-4)
      this.show(this.indexFrom(this.stop.from));
    try {
      await this.video.play();
    } catch (error) {
      if (error.name === 'NotAllowedError') {
        this.video.muted = true; // browsers let nothing sound before a person has touched the page
        await this.video.play().catch(() => {});
      }
    }
  }

  pause() {
    this.stopReverse();
    this.video.pause();
  }

  toggle() {
    if (this.paused) this.play();
    else this.pause();
  }

  /** Play forwards (1) or backwards (-1), faster with each call: keys L and J. */
  shuttle(direction) {
    if (direction > 0) {
      const speed = !this.video.paused ? Math.min(8, this.video.playbackRate * 2) : 1;
      this.stopForShuttle = this.stop;
      this.play(speed);
      return;
    }
    const speed = this.reverse ? Math.min(8, this.reverse.speed * 2) : 1;
    this.pause();
    this.reverse = { speed };
    const back = () => {
      if (!this.reverse) return;
      if (this.now <= this.first + 1e-3) {
        this.pause();
        return;
      }
      if (!this.video.seeking) this.show(this.index - 1);
      this.reverse.timer = setTimeout(back, 1000 / this.rate / this.reverse.speed);
    };
    back();
    this.emit('state');
  }

  stopReverse() {
    if (this.reverse) {
      clearTimeout(this.reverse.timer);
      this.reverse = null;
      this.emit('state');
    }
  }

  /** Keep playback within `stop`: pause one frame early, then show the last, so that the next shot never flashes. */
  keepWithinStop() {
    if (!this.stop || this.video.paused) return;
    const last = this.indexAt(this.stop.to - 1e-3);
    if (this.index < last - 1) return;
    if (this.index > last + 2) return; // a person has sought past the end, and may look on
    if (this.loop) {
      this.show(this.indexFrom(this.stop.from));
      this.wanted = null; // it plays on from there
    } else {
      this.video.pause();
      this.show(last);
    }
  }
}
