// Viewport of a video: the part of it that the strip shows, and where its times lie in pixels.

const LEAST_SECONDS = 1;

/** Times are seconds, x is in pixels from the left edge of the strip. */
export class Viewport {
  /**
   * @param {number} duration Seconds of the video.
   * @param {number} [width] Pixels of the strip.
   */
  constructor(duration, width = 0) {
    this.duration = duration;
    this.width = width;
    this.from = 0;
    this.to = duration;
  }

  get span() {
    return this.to - this.from;
  }

  /** Whether only a part of the video is shown. */
  get zoomed() {
    return this.span < this.duration * 0.999;
  }

  /** @param {number} seconds */
  x(seconds) {
    return ((seconds - this.from) / this.span) * this.width;
  }

  /** @param {number} x */
  secondsAt(x) {
    return this.from + (x / Math.max(1, this.width)) * this.span;
  }

  /**
   * Return whether any of a range is shown.
   *
   * @param {number} start
   * @param {number} end
   */
  shows(start, end) {
    return end >= this.from && start <= this.to;
  }

  /**
   * Return the middle of that part of a range which is shown.
   *
   * @param {number} start
   * @param {number} end
   * @returns {number} Pixels.
   */
  middleX(start, end) {
    return this.x((Math.max(start, this.from) + Math.min(end, this.to)) / 2);
  }

  /**
   * Show a range, within the video; a longer one where it is too short.
   *
   * @param {number} from
   * @param {number} to
   */
  show(from, to) {
    const span = Math.min(this.duration, Math.max(to - from, LEAST_SECONDS));
    this.from = Math.min(Math.max(0, from), this.duration - span);
    this.to = this.from + span;
  }

  /**
   * Show less or more, so that the time at x stays there.
   *
   * @param {number} factor Above 1 shows less.
   * @param {number} [x]
   */
  zoom(factor, x = this.width / 2) {
    const around = this.secondsAt(x);
    const span = Math.min(this.duration, Math.max(this.span / factor, LEAST_SECONDS));
    const from = around - (x / Math.max(1, this.width)) * span;
    this.show(from, from + span);
  }

  /** @param {number} pixels To the right. */
  pan(pixels) {
    const by = (pixels / Math.max(1, this.width)) * this.span;
    this.show(this.from + by, this.to + by);
  }

  /**
   * Move to a range that does not lie inside what is shown.
   *
   * @param {number} start
   * @param {number} end
   */
  reveal(start, end) {
    if (start >= this.from && end <= this.to) return;
    const middle = (start + end) / 2;
    const span = Math.max(this.span, Math.min(this.duration, (end - start) * 1.5));
    this.show(middle - span / 2, middle + span / 2);
  }
}
