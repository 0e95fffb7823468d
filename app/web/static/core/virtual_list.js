// Long lists: only the rows near what is seen are in the document.

import { scrollerOf } from './dom.js';

const MARGIN = 500; // pixels above and below the window that are drawn ahead

/** Rows of known heights, placed one below the other in `host`. */
export class VirtualList {
  /** render(index) gives the element of a row; it is asked again for a row only after `refresh`. */
  constructor(host, render) {
    this.host = host;
    this.render = render;
    this.offsets = new Float64Array(1);
    this.shown = new Map();
    this.host.style.position = 'relative';
    this.ask = () => {
      this.asked ??= requestAnimationFrame(() => {
        this.asked = null;
        this.draw();
      });
    };
    // The page scrolls inside an element of Streamlit's; scroll events do not bubble, but they can be caught.
    document.addEventListener('scroll', this.ask, { capture: true, passive: true });
    this.sizes = new ResizeObserver(this.ask);
    this.sizes.observe(this.host);
    addEventListener('resize', this.ask);
  }

  /** heights: of each row, in pixels. Everything is drawn again. */
  setRows(heights) {
    this.offsets = new Float64Array(heights.length + 1);
    for (let at = 0; at < heights.length; at += 1) this.offsets[at + 1] = this.offsets[at] + heights[at];
    this.host.style.height = `${this.offsets[heights.length]}px`;
    this.refresh();
  }

  get length() {
    return this.offsets.length - 1;
  }

  refresh() {
    const focused = [...this.shown].find(([, row]) => row.contains(document.activeElement))?.[0];
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    this.draw();
    if (focused !== undefined && focused < this.length) this.focus(focused);
  }

  /** The row that holds a place, in pixels from the top. */
  rowAt(place) {
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= place) low = middle;
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
      // A row that has the focus stays, so that a person who looks around by the wheel does not lose the place.
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
      // In their order, for those who go by Tab or listen.
      const next = [...this.shown.keys()].filter((each) => each > at).sort((a, b) => a - b)[0];
      this.host.insertBefore(row, next === undefined ? null : this.shown.get(next));
    }
  }

  /** Bring a row into sight and give its element. */
  reveal(at) {
    const box = this.host.getBoundingClientRect();
    const top = box.top + this.offsets[at];
    const bottom = box.top + this.offsets[at + 1];
    const scroller = scrollerOf(this.host);
    if (top < 130) scroller.scrollBy({ top: top - 130 }); // below what sticks to the upper edge
    else if (bottom > innerHeight - 70) scroller.scrollBy({ top: bottom - innerHeight + 70 });
    this.draw();
    return this.shown.get(at);
  }

  focus(at) {
    const row = this.reveal(at);
    (row?.matches('[tabindex]') ? row : row?.querySelector('[tabindex]'))?.focus({ preventScroll: true });
  }

  remove() {
    document.removeEventListener('scroll', this.ask, { capture: true });
    removeEventListener('resize', this.ask);
    this.sizes.disconnect();
    if (this.asked) cancelAnimationFrame(this.asked);
    this.asked = null;
  }
}
