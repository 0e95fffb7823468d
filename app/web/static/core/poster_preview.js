// Preview on a poster: a small muted file of its own, which plays while the pointer rests there. One plays at a time.

import { element } from './dom.js';

const HOVER_MILLISECONDS = 90;
const LINGER_MILLISECONDS = 1500; // from then on, a person wants to see the moment: finding it takes seconds of computing
const LEAST_SECONDS = 0.8; // of a moment that is played again and again

/** @typedef {import('./moments.js').Moments} Moments */
/** @typedef {import('./types.js').Moment} Moment */

/** Return whether the person has asked the system for less movement. */
export function reducedMotion() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/**
 * Create the video that plays a segment's preview. It stays hidden until it plays.
 *
 * @param {number} segment
 * @returns {HTMLVideoElement}
 */
export function previewVideo(segment) {
  const video = element('video', {
    muted: true,
    loop: true,
    autoplay: true,
    playsInline: true,
    src: `/api/preview/${segment}`,
    'aria-hidden': 'true',
  });
  video.addEventListener('playing', () => video.classList.add('ps-on'));
  return video;
}

/**
 * Remove a video, and let go of its connection: browsers have few.
 *
 * @param {HTMLVideoElement} video
 */
export function removeVideo(video) {
  video.removeAttribute('src');
  video.load();
  video.remove();
}

/**
 * Keep a preview within the moment, and show where that lies.
 *
 * @param {HTMLVideoElement} video
 * @param {{from: number, to: number}} part From 0 to 1.
 */
export function playPart(video, { from, to }) {
  const bar = element('i', { class: 'ps-preview-moment' });
  bar.style.left = `${100 * from}%`;
  bar.style.width = `${100 * (to - from)}%`;
  video.after(bar);
  const turn = () => {
    if (!video.isConnected) {
      bar.remove();
      return;
    }
    const { duration } = video;
    if (duration > 0) {
      const length = Math.min(duration, Math.max(LEAST_SECONDS, (to - from) * duration));
      const start = Math.min(Math.max(0, ((from + to) * duration - length) / 2), duration - length);
      if (video.currentTime < start - 0.05 || video.currentTime >= start + length) video.currentTime = start;
    }
    requestAnimationFrame(turn);
  };
  turn();
}

/** A preview over one of many posters. */
export class PosterPreview {
  /** @type {Element | null} */
  over = null; // the poster under the pointer
  /** @type {Element | null} */
  playing = null; // the poster that plays
  /** @type {HTMLVideoElement | null} */
  video = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer = undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  lingering = undefined;
  /** @type {AbortController | null} */
  asked = null; // for a moment

  /**
   * @param {(poster: Element) => number | null} segmentOf The segment that a poster shows; null where it has none.
   * @param {() => Moments | null} [momentsOf] The moments of the search that found the segments.
   */
  constructor(segmentOf, momentsOf = () => null) {
    this.segmentOf = segmentOf;
    this.momentsOf = momentsOf;
  }

  /**
   * Start the preview after a moment, or stop it.
   *
   * @param {Element | null} poster The one under the pointer.
   */
  hover(poster) {
    if (poster === this.over) return;
    this.over = poster;
    clearTimeout(this.timer);
    this.stop();
    if (poster && !reducedMotion()) this.timer = setTimeout(() => this.play(poster), HOVER_MILLISECONDS);
  }

  /**
   * Play the preview of a poster, or stop it where it plays (Space).
   *
   * @param {Element} poster
   */
  toggle(poster) {
    if (this.playing === poster) this.stop();
    else this.play(poster);
  }

  /** @param {Element} poster */
  play(poster) {
    this.stop();
    const segment = this.segmentOf(poster);
    if (segment === null) return;
    this.video = previewVideo(segment);
    poster.querySelector('img')?.after(this.video);
    this.playing = poster;
    const moments = this.momentsOf();
    if (moments?.known.has(segment)) void this.playMoment(this.video, moments, segment);
    else if (moments)
      this.lingering = setTimeout(
        () => this.video && this.playMoment(this.video, moments, segment),
        LINGER_MILLISECONDS,
      );
  }

  /**
   * Play only the moment once it is found; without one, all goes on playing.
   *
   * @param {HTMLVideoElement} video
   * @param {Moments} moments
   * @param {number} segment
   */
  async playMoment(video, moments, segment) {
    this.asked = new AbortController();
    const moment = await moments.find(segment, this.asked.signal).catch(() => null);
    if (moment?.preview && !moment.is_whole && this.video === video) playPart(video, moment.preview);
  }

  stop() {
    clearTimeout(this.lingering);
    this.asked?.abort();
    this.asked = null;
    if (this.video) removeVideo(this.video);
    this.video = null;
    this.playing = null;
  }

  remove() {
    clearTimeout(this.timer);
    this.stop();
  }
}
