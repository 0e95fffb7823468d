// Strip of the trim editor: the stretch whose frames are known, the shot, the cuts, and the range between two handles.

import { element } from '../../core/dom.js';

/**
 * Callbacks of the strip.
 *
 * @typedef {object} StripActions
 * @property {(seconds: number) => void} scrub Seek.
 * @property {() => void} grab A drag begins.
 * @property {(which: 'in' | 'out', index: number) => void} drag Move a point to a frame.
 * @property {(first: number, last: number, frames: number) => void} slip Move the range from these frames by a number.
 * @property {() => void} release A drag has ended.
 * @property {(side: 'earlier' | 'later') => void} widen Show more of the video.
 */

/** A track that is dragged with the pointer. */
export class TrimStrip {
  /**
   * @param {import('./range.js').TrimRange} range
   * @param {StripActions} actions
   */
  constructor(range, actions) {
    this.range = range;
    this.actions = actions;
    const part = (name) => element('div', { class: `ps-trim-${name}` });
    const handle = (which, label) =>
      element('div', {
        class: `ps-trim-handle ps-trim-handle-${which}`,
        role: 'slider',
        tabindex: '0',
        'data-ps-keys': '',
        'data-which': which,
        'aria-label': label,
        onpointerdown: (event) => this.dragHandle(event, which),
      });
    this.shot = part('shot');
    this.band = part('band');
    this.cuts = part('cuts');
    this.head = part('head');
    this.handles = { in: handle('in', 'In point'), out: handle('out', 'Out point') };
    this.track = element(
      'div',
      { class: 'ps-trim-track' },
      this.shot,
      this.cuts,
      this.band,
      this.head,
      this.handles.in,
      this.handles.out,
    );
    this.track.addEventListener('pointerdown', (event) => this.pressTrack(event));
    const more = (side, text, label) =>
      element('button', {
        class: 'ps-icon ps-trim-more',
        type: 'button',
        text,
        'aria-label': label,
        title: label,
        onclick: () => actions.widen(side),
      });
    this.earlier = more('earlier', '‹', 'Show more of the video before');
    this.later = more('later', '›', 'Show more of the video after');
    this.element = element('div', { class: 'ps-trim-strip' }, this.earlier, this.track, this.later);
  }

  /** Handle that has the focus: 'in', 'out' or null. */
  get focused() {
    return document.activeElement?.closest?.('.ps-trim-handle')?.dataset.which ?? null;
  }

  share(seconds) {
    const { first, last } = this.range.deck;
    return Math.min(1, Math.max(0, (seconds - first) / Math.max(last - first, 1e-6)));
  }

  /** @param {(which: 'in' | 'out') => string} describe Text of a point, for screen readers. */
  draw(describe) {
    const { range } = this;
    const { info, deck } = range;
    if (!info) return;
    const place = (part, from, to) => {
      part.style.left = `${100 * this.share(from)}%`;
      part.style.width = `${100 * (this.share(to) - this.share(from))}%`;
    };
    place(this.shot, info.start, info.end);
    place(this.band, range.from, range.to);
    for (const [which, at] of [
      ['in', range.from],
      ['out', range.to],
    ]) {
      const handle = this.handles[which];
      handle.style.left = `${100 * this.share(at)}%`;
      handle.hidden = at < deck.first - 1e-3 || at > deck.last + 1e-3;
      handle.setAttribute('aria-valuetext', describe(which));
      handle.setAttribute('aria-valuenow', String(deck.numberOf(at)));
    }
    this.earlier.disabled = !range.canWiden('earlier');
    this.later.disabled = !range.canWiden('later');
    this.drawHead();
  }

  drawHead() {
    this.head.style.left = `${100 * this.share(this.range.deck.now)}%`;
  }

  /** @param {{start: number}[]} items Segments around; each start gets a mark. */
  drawCuts(items) {
    const { first, last } = this.range.deck;
    this.cuts.replaceChildren(
      ...items
        .filter(({ start }) => start > first && start < last)
        .map(({ start }) => {
          const mark = element('i', {});
          mark.style.left = `${100 * this.share(start)}%`;
          return mark;
        }),
    );
  }

  secondsAt(x) {
    const box = this.track.getBoundingClientRect();
    const { first, last } = this.range.deck;
    return first + Math.min(1, Math.max(0, (x - box.left) / box.width)) * (last - first);
  }

  dragHandle(event, which) {
    event.preventDefault();
    event.stopPropagation();
    if (!this.range.able) return;
    const handle = this.handles[which];
    handle.focus();
    this.actions.grab();
    const box = handle.getBoundingClientRect();
    const slack = event.clientX - (box.left + box.width / 2); // the handle stays under the pointer where it was grabbed
    this.follow(handle, event, (moved) => {
      const seconds = this.secondsAt(moved.clientX - slack);
      const { deck } = this.range;
      const index = deck.indexAt(seconds);
      const nearer = seconds - deck.timeOf(index) > (deck.endOf(index) - deck.timeOf(index)) / 2 ? index + 1 : index;
      // Out lies at the end of the last frame.
      if (which === 'in') this.actions.drag('in', Math.min(nearer, this.range.last));
      else this.actions.drag('out', Math.max(nearer - 1, this.range.first));
    });
  }

  pressTrack(event) {
    event.preventDefault();
    if (event.shiftKey && event.target === this.band && this.range.able) {
      this.actions.grab();
      const { deck } = this.range;
      const { first, last } = this.range;
      const from = deck.indexAt(this.secondsAt(event.clientX));
      this.follow(this.track, event, (moved) =>
        this.actions.slip(first, last, deck.indexAt(this.secondsAt(moved.clientX)) - from),
      );
      return;
    }
    const seek = (moved) => this.actions.scrub(this.secondsAt(moved.clientX));
    seek(event);
    this.follow(this.track, event, seek, () => {});
  }

  follow(target, event, move, end = () => this.actions.release()) {
    target.setPointerCapture(event.pointerId);
    const done = () => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', done);
      target.removeEventListener('pointercancel', done);
      end();
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', done);
    target.addEventListener('pointercancel', done);
  }
}
