// Preview on a poster: a small muted file of its own, which plays while the pointer rests there. One plays at a time.

import { element } from './dom.js';

const HOVER_MILLISECONDS = 90;

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

  /** @param {(poster: Element) => number | null} segmentOf The segment that a poster shows; null where it has none. */
  constructor(segmentOf) {
    this.segmentOf = segmentOf;
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
  }

  stop() {
    if (this.video) removeVideo(this.video);
    this.video = null;
    this.playing = null;
  }

  remove() {
    clearTimeout(this.timer);
    this.stop();
  }
}
