// Deck: a video element that knows the frames of a stretch of a video, for exact seeks, single steps, J K L and a stop at
// the end. Only one deck plays at a time, unless it is one of a company.

import { api, messageOf } from '../core/api.js';
import { frameNumber } from '../core/timecode.js';
import { reachesEnd } from './bounds.js';
import { FrameTimes } from './frame_times.js';
import { openAddress, requestFrames, requestProxy } from './opening.js';
import { fasterThan } from './shuttle.js';
import { stretchAround, withinProxy } from './stretch.js';

const FIRST_FRAME_MILLISECONDS = 1500;
/** @type {Deck | null} */
let playing = null;

/** @typedef {import('../core/types.js').SegmentInfo} SegmentInfo */
/** @typedef {import('../core/types.js').FrameList} FrameList */
/** @typedef {'empty' | 'loading' | 'ready' | 'failed'} Status */

/**
 * Events: 'info' (the facts of another segment are known), 'frame' (another frame is shown), 'state' (playing, paused, loading, failed). Times are seconds from the video's
 * first frame shown; indices count the frames of the stretch.
 */
export class Deck extends EventTarget {
  /** @type {SegmentInfo | null} */
  info = null;
  /** @type {FrameList | null} */
  frames = null; // of the stretch; null where the server could not read them
  offset = 0; // seconds of the video at which the element's own time begins
  whole = false; // whether the element plays the file itself, and no copy of a part of it
  first = 0; // the stretch, seconds from the first frame shown
  last = 0;
  /** @type {import('./bounds.js').Bounds | null} */
  stop = null;
  loop = false;
  accompanied = false; // whether it plays with others, of a company
  shown = 0;
  /** @type {number | null} */
  wanted = null; // index of the latest frame sought, until it is shown
  played = 0; // index of the frame that was shown before this one, while it plays
  /** @type {Status} */
  status = 'empty';
  message = '';
  /** @type {{speed: number, timer?: ReturnType<typeof setTimeout>} | null} */
  reverse = null;
  /** @type {number | null} */
  presented = null; // the element's own time of the first frame that it shows
  ticket = 0;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    super();
    this.video = video;
    video.playsInline = true;
    for (const name of ['play', 'pause', 'seeked', 'waiting', 'playing', 'ratechange', 'volumechange']) {
      video.addEventListener(name, () => {
        this.readElement();
        this.emit('state');
      });
    }
    // A range may reach to the end of the video, where the element stops by itself.
    video.addEventListener('ended', () => {
      if (this.loop && this.stop) void this.play();
    });
    if (video.requestVideoFrameCallback) {
      /** @type {VideoFrameRequestCallback} */
      const onFrame = (_, about) => {
        video.requestVideoFrameCallback(onFrame);
        if (this.presented === null) {
          this.presented = about.mediaTime;
          this.emit('presented');
        }
        const seconds = about.mediaTime + this.offset;
        // Frames of earlier seeks still arrive while a person steps on quickly; only the latest seek counts.
        if (this.wanted !== null && video.paused && this.times.indexOfStart(seconds) !== this.wanted) return;
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
    this.info = null;
    this.frames = null;
    this.offset = 0;
    this.whole = false;
    this.first = 0;
    this.last = 0;
    this.stop = null;
    this.loop = false;
    this.shown = 0;
    this.wanted = null;
    this.status = 'empty';
    this.message = '';
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
  async load(segment, options = {}) {
    this.ticket += 1;
    const { ticket } = this;
    this.pause();
    this.clear();
    this.setStatus('loading');
    /** @type {SegmentInfo} */
    let info;
    try {
      info = await api(`/api/segment/${segment}`);
    } catch (error) {
      if (ticket !== this.ticket) return null;
      this.fail(messageOf(error));
      throw error;
    }
    if (ticket !== this.ticket) return null;
    this.info = info;
    Object.assign(this, stretchAround(info, options));
    this.shown = info.start;
    this.emit('info');
    if (info.missing) {
      this.fail('The file cannot be found. Is its drive connected? Poster and preview still work.');
      return info;
    }
    const frames = requestFrames(segment, this);
    const direct = info.playable !== false && (await this.open(`/api/video/${segment}`, ticket));
    if (ticket !== this.ticket) return null;
    // The library counts from the first frame shown; a browser counts from where the file says its time begins.
    this.whole = direct;
    if (direct) this.offset = 0 - (await this.firstFrameTime());
    if (ticket !== this.ticket) return null;
    if (!direct && !(await this.openProxy(segment, ticket))) return ticket === this.ticket ? info : null;
    const known = await frames;
    if (ticket !== this.ticket) return null;
    this.frames = known;
    if (this.status === 'loading') this.setStatus('ready');
    return info;
  }

  /**
   * Open an address.
   *
   * @param {string} address
   * @param {number} ticket Of the load that it belongs to.
   * @returns {Promise<boolean>} False where the browser cannot play what is there, or another load has begun meanwhile.
   */
  async open(address, ticket) {
    this.presented = null;
    return (await openAddress(this.video, address)) && ticket === this.ticket;
  }

  /**
   * Return the element's own time of its first frame; 0 where the browser does not report it.
   *
   * @returns {Promise<number>}
   */
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

  /**
   * Have the server make a copy that any browser plays (a proxy), and open it.
   *
   * @param {number} segment
   * @param {number} ticket
   * @returns {Promise<boolean>} False where it failed, or another load has begun meanwhile.
   */
  async openProxy(segment, ticket) {
    try {
      const proxy = await requestProxy(segment, (share) => {
        if (ticket !== this.ticket) return false;
        const percent = share ? ` ${Math.round(share * 100)}%` : '';
        this.setStatus('loading', `Browsers cannot play this format; making a copy that plays …${percent}`);
        return true;
      });
      if (ticket !== this.ticket) return false;
      if (proxy.state === 'ready' && proxy.url) {
        this.offset = proxy.offset;
        Object.assign(this, withinProxy(this, proxy));
        if (await this.open(proxy.url, ticket)) return true;
        if (ticket === this.ticket) this.fail('The copy made for the browser cannot be played either.');
        return false;
      }
      this.fail(proxy.error ?? 'A copy for the browser could not be made.');
    } catch (error) {
      if (ticket === this.ticket) this.fail(messageOf(error));
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

  /**
   * @param {Status} status
   * @param {string} [message]
   */
  setStatus(status, message = '') {
    this.status = status;
    this.message = message;
    this.emit('state');
  }

  /** @param {string} name */
  emit(name) {
    this.dispatchEvent(new Event(name));
  }

  /**
   * Replace the frames by those of another stretch of the same video. The frame that is shown, or sought, stays the same,
   * though its index may not.
   *
   * @param {FrameList} frames
   * @param {import('./stretch.js').Stretch} stretch
   */
  extend(frames, { first, last }) {
    const { times } = this;
    const sought = this.wanted === null ? null : times.timeOf(this.wanted);
    const played = times.timeOf(this.played);
    this.frames = frames;
    this.first = first;
    this.last = last;
    this.wanted = sought === null ? null : this.times.indexAt(sought);
    this.played = this.times.indexAt(played);
  }

  /** The frames of the stretch, as they are known now. */
  get times() {
    return new FrameTimes(this.frames, this.info);
  }

  /** Nominal frames a second. */
  get rate() {
    return this.times.rate;
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
    const shown = this.times.timeOf(this.times.indexAt(this.video.currentTime + this.offset));
    if (Math.abs(shown - this.shown) > 1e-6) {
      this.shown = shown;
      this.emit('frame');
    }
  }

  /** Index of the frame that is shown or, until it is, of the one that was sought last. */
  get index() {
    return this.wanted ?? this.times.indexOfStart(this.shown);
  }

  /**
   * Return the number of the frame as edit lists count: from the video's first, at its nominal rate.
   *
   * @param {number} seconds
   * @returns {number}
   */
  numberOf(seconds) {
    return frameNumber(seconds, this.rate);
  }

  /**
   * Seek to a frame; to the nearest one outside the stretch.
   *
   * @param {number} index
   */
  show(index) {
    const { times } = this;
    const at = times.clamp(index, this);
    this.video.currentTime = Math.max(0, times.middleOf(at) - this.offset);
    this.wanted = at;
    this.shown = times.timeOf(at);
    this.emit('frame');
  }

  /** @param {number} seconds */
  seekTo(seconds) {
    this.show(this.times.indexAt(Math.min(Math.max(seconds, this.first), this.last)));
  }

  /** @param {number} frames */
  step(frames) {
    this.pause();
    this.show(this.index + frames);
  }

  /** @param {number} [speed] Times the nominal one. */
  async play(speed = 1) {
    if (this.status !== 'ready') return;
    this.stopReverse();
    if (playing && playing !== this) playing.pause();
    playing = this.accompanied ? null : this;
    this.video.playbackRate = speed;
    this.wanted = null;
    if (this.stop && this.index >= this.times.indexBefore(this.stop.to)) this.restart(this.stop.from);
    this.played = this.index;
    try {
      await this.video.play();
    } catch (error) {
      if (error instanceof Error && error.name === 'NotAllowedError') {
        this.video.muted = true; // browsers let nothing sound before a person has touched the page
        await this.video.play().catch(() => {});
      }
    }
  }

  /**
   * Go to the first frame of the bounds, to play on from there.
   *
   * @param {number} from Seconds.
   */
  restart(from) {
    this.show(this.times.indexFrom(from));
    this.wanted = null;
    this.played = this.index;
  }

  pause() {
    this.stopReverse();
    this.video.pause();
  }

  toggle() {
    if (this.paused) void this.play();
    else this.pause();
  }

  /**
   * Play forwards (1) or backwards (-1), faster with each call: keys L and J.
   *
   * @param {1 | -1} direction
   */
  shuttle(direction) {
    if (direction > 0) {
      void this.play(fasterThan(this.video.paused ? 0 : this.video.playbackRate));
      return;
    }
    const speed = fasterThan(this.reverse?.speed ?? 0);
    this.pause();
    this.reverse = { speed };
    this.stepBack(this.reverse);
    this.emit('state');
  }

  /**
   * Show the frame before, again and again, until the first one of the stretch.
   *
   * @param {{speed: number, timer?: ReturnType<typeof setTimeout>}} reverse
   */
  stepBack(reverse) {
    if (this.reverse !== reverse) return;
    if (this.index <= this.times.clamp(0, this)) {
      this.pause();
      return;
    }
    if (!this.video.seeking) this.show(this.index - 1);
    reverse.timer = setTimeout(() => this.stepBack(reverse), 1000 / this.rate / reverse.speed);
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
    const before = this.played;
    this.played = this.index;
    if (!this.stop || this.video.paused) return;
    const last = this.times.indexBefore(this.stop.to);
    if (!reachesEnd(this.played, before, last)) return;
    if (this.loop) {
      this.restart(this.stop.from);
    } else {
      this.video.pause();
      this.show(last);
    }
  }
}
