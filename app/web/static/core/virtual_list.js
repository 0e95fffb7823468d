// Virtual list: of a long list, only the rows near the visible part are in the document.

import { scrollerOf } from './dom.js';

const MARGIN = 500; // pixels above and below the window that are drawn ahead

/** @typedef {(index: number) => HTMLElement} RenderRow */

/** Rows of known heights, placed one below the other in `host`. */
export class VirtualList {
  /**
   * @param {HTMLElement} host
   * @param {RenderRow} render Creates the element of a row; called once for each visible row, and again after `refresh`.
   */
  constructor(host, render) {
    this.host = host;
    this.render = render;
    this.offsets = new Float64Array(1);
    this.shown = new Map();
    this.host.style.position = 'relative';
    this.schedule = () => {
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.draw();
      });
    };
    // The page scrolls inside an element of Streamlit's; scroll events do not bubble, but they can be captured.
    document.addEventListener('scroll', this.schedule, { capture: true, passive: true });
    this.sizes = new ResizeObserver(this.schedule);
    this.sizes.observe(this.host);
    addEventListener('resize', this.schedule);
  }

  /**
   * Set the rows and draw everything again.
   *
   * @param {ArrayLike<number>} heights Height of each row, in pixels.
   */
  setRows(heights) {
    this.offsets = new Float64Array(heights.length + 1);
    for (let at = 0; at < heights.length; at += 1) this.offsets[at + 1] = this.offsets[at] + heights[at];
    this.host.style.height = `${this.offsets[heights.length]}px`;
    this.refresh();
  }

  get length() {
    return this.offsets.length - 1;
  }

  /** Draw all rows again. The row that has the focus keeps it. */
  refresh() {
    const focused = [...this.shown].find(([, row]) => row.contains(document.activeElement))?.[0];
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    this.draw();
    if (focused !== undefined && focused < this.length) this.focus(focused);
  }

  /** Return the row at a height, in pixels from the top. */
  rowAt(height) {
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= height) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  draw() {
    if (!this.length || !this.host.isConnected) return;
    const top = -this.host.getBoundingClientRect().top;
    const first = this.rowAt(top - MARGIN);
    const last = this.rowAt(top + innerHeight + MARGIN);
    for (const [at, row] of this.shown) {
      // A row that has the focus stays, so that scrolling by the wheel does not lose it.
      if ((at < first || at > last) && !row.contains(document.activeElement)) {
        row.remove();
        this.shown.delete(at);
      }
    }
    for (let at = first; at <= last; at += 1) {
      if (this.shown.has(at)) continue;
      const row = this.render(at);
      row.style.position = 'absolute';
      row.style.insetInline = '0';
      row.style.top = `${this.offsets[at]}px`;
      row.style.height = `${this.offsets[at + 1] - this.offsets[at]}px`;
      this.shown.set(at, row);
      // In order in the document, for Tab and screen readers.
      const next = [...this.shown.keys()].filter((each) => each > at).sort((a, b) => a - b)[0];
      this.host.insertBefore(row, next === undefined ? null : this.shown.get(next));
    }
  }

  /** Scroll a row into view and return its element. */
  reveal(at) {
    const box = this.host.getBoundingClientRect();
    const top = box.top + this.offsets[at];
    const bottom = box.top + this.offsets[at + 1];
    const scroller = scrollerOf(this.host);
    if (top < 130)
      scroller.scrollBy({ top: top - 130 }); // below what sticks to the upper edge
    else if (bottom > innerHeight - 70) scroller.scrollBy({ top: bottom - innerHeight + 70 });
    this.draw();
    return this.shown.get(at);
  }

  focus(at) {
    const row = this.reveal(at);
    (row?.matches('[tabindex]') ? row : row?.querySelector('[tabindex]'))?.focus({ preventScroll: true });
  }

  remove() {
    document.removeEventListener('scroll', this.schedule, { capture: true });
    removeEventListener('resize', this.schedule);
    this.sizes.disconnect();
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}
