// Virtual list: only those rows of a long list are in the document that lie near its visible part.

import { scrollerOf } from './dom.js';
import { rowAt, rowOffsets, rowsInWindow, scrollToRow } from './windowing.js';

const MARGIN = 500; // pixels above and below the window that are drawn ahead
const FREE = { above: 130, below: 70 }; // pixels of the window that other things cover

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
    this.offsets = rowOffsets([]);
    /** @type {Map<number, HTMLElement>} */
    this.shown = new Map(); // the rows in the document, by their index
    /** @type {number | null} */
    this.frame = null;
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
    this.offsets = rowOffsets(heights);
    this.host.style.height = `${this.offsets[heights.length]}px`;
    this.refresh();
  }

  get length() {
    return this.offsets.length - 1;
  }

  /** Draw all rows again. The row that has the focus keeps it, in view or not. */
  refresh() {
    const focused = [...this.shown].find(([, row]) => row.contains(document.activeElement))?.[0];
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    this.draw();
    if (focused !== undefined && focused < this.length && this.host.isConnected) focusOn(this.place(focused));
  }

  /**
   * Return the row at a height.
   *
   * @param {number} height Pixels from the top of the first row.
   * @returns {number}
   */
  rowAt(height) {
    return rowAt(this.offsets, height);
  }

  /** Draw the rows near the visible part, and remove the others. */
  draw() {
    if (!this.length || !this.host.isConnected) return;
    const top = -this.host.getBoundingClientRect().top;
    const { first, last } = rowsInWindow(this.offsets, top, innerHeight, MARGIN);
    for (const [at, row] of this.shown) {
      // A row that has the focus stays, so that scrolling by the wheel does not lose it.
      if ((at < first || at > last) && !row.contains(document.activeElement)) {
        row.remove();
        this.shown.delete(at);
      }
    }
    for (let at = first; at <= last; at += 1) this.place(at);
  }

  /**
   * Draw a row, unless it is there already.
   *
   * @param {number} at
   * @returns {HTMLElement}
   */
  place(at) {
    const there = this.shown.get(at);
    if (there) return there;
    const row = this.render(at);
    row.style.position = 'absolute';
    row.style.insetInline = '0';
    row.style.top = `${this.offsets[at]}px`;
    row.style.height = `${this.offsets[at + 1] - this.offsets[at]}px`;
    this.shown.set(at, row);
    // In order in the document, for Tab and screen readers.
    const next = Math.min(...[...this.shown.keys()].filter((each) => each > at));
    this.host.insertBefore(row, this.shown.get(next) ?? null);
    return row;
  }

  /**
   * Scroll a row into view.
   *
   * @param {number} at
   * @returns {HTMLElement | undefined} Its element.
   */
  reveal(at) {
    const { top } = this.host.getBoundingClientRect();
    const row = { top: top + this.offsets[at], bottom: top + this.offsets[at + 1] };
    const by = scrollToRow(row, innerHeight, FREE);
    if (by) scrollerOf(this.host).scrollBy({ top: by });
    this.draw();
    return this.shown.get(at);
  }

  /**
   * Scroll a row into view and give it the focus.
   *
   * @param {number} at
   */
  focus(at) {
    const row = this.reveal(at);
    if (row) focusOn(row);
  }

  remove() {
    document.removeEventListener('scroll', this.schedule, { capture: true });
    removeEventListener('resize', this.schedule);
    this.sizes.disconnect();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}

/**
 * Give a row the focus, or what in it takes it, where it lies.
 *
 * @param {HTMLElement} row
 */
function focusOn(row) {
  /** @type {HTMLElement | null} */
  const target = row.matches('[tabindex]') ? row : (row.querySelector('[tabindex]') ?? row.querySelector('button'));
  target?.focus({ preventScroll: true });
}
