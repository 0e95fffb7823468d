// Preview of a subclip on its poster, while the pointer rests there.

import { element } from '../core/dom.js';

const HOVER_MILLISECONDS = 120;

/** A preview that plays on one poster at a time. */
export class PosterPreview {
  /** @param {(poster: Element) => number | null} segmentOf The segment that a poster shows; null where it has none. */
  constructor(segmentOf) {
    this.segmentOf = segmentOf;
    /** @type {Element | null} */
    this.over = null; // the poster under the pointer
    /** @type {Element | null} */
    this.playing = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
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
    if (!poster) this.stop();
    else this.timer = setTimeout(() => this.play(poster), HOVER_MILLISECONDS);
  }

  /**
   * Play the preview of a poster; a second call stops it, unless the pointer rests there.
   *
   * @param {Element} poster
   */
  play(poster) {
    const again = this.playing === poster;
    this.stop();
    const segment = this.segmentOf(poster);
    if (!segment || (again && poster !== this.over) || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const video = element('video', {
      muted: true,
      loop: true,
      autoplay: true,
      playsInline: true,
      src: `/api/preview/${segment}`,
      'aria-hidden': 'true',
    });
    video.addEventListener('playing', () => video.classList.add('ps-on'));
    poster.querySelector('img')?.after(video);
    this.playing = poster;
  }

  stop() {
    this.playing?.querySelector('video')?.remove();
    this.playing = null;
  }

  remove() {
    clearTimeout(this.timer);
  }
}
