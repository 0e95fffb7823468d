// Strip of the trim editor: the stretch whose frames are known, the shot, the cuts, and the range between two handles.

import { element } from '../../core/dom.js';
import { draggedTo, percent, TimeScale } from './time_scale.js';

/** @typedef {import('./trimming.js').Point} Point */
/** @typedef {import('./frame_window.js').Side} Side */

/**
 * Callbacks of the strip.
 *
 * @typedef {object} StripActions
 * @property {(seconds: number) => void} scrub Seek.
 * @property {() => void} grab A drag begins.
 * @property {(point: Point, index: number) => void} drag Move a point to a frame.
 * @property {(from: {first: number, last: number}, frames: number) => void} slip Move the range from these frames by a number.
 * @property {() => void} release A drag has ended.
 * @property {(side: Side) => void} widen Show more of the video.
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
    this.shot = part('shot');
    this.band = part('band');
    this.cuts = part('cuts');
    this.head = part('head');
    this.handles = { in: this.handle('in', 'In point'), out: this.handle('out', 'Out point') };
    this.track = element(
      'div',
      { class: 'ps-trim-track', onpointerdown: (event) => this.pressTrack(event) },
      this.shot,
      this.cuts,
      this.band,
      this.head,
      this.handles.in,
      this.handles.out,
    );
    this.earlier = more('‹', 'Show more of the video before', () => actions.widen('earlier'));
    this.later = more('›', 'Show more of the video after', () => actions.widen('later'));
    this.element = element('div', { class: 'ps-trim-strip' }, this.earlier, this.track, this.later);
  }

  /**
   * @param {Point} point
   * @param {string} label
   */
  handle(point, label) {
    return element('div', {
      class: `ps-trim-handle ps-trim-handle-${point}`,
      role: 'slider',
      tabindex: '0',
      'data-ps-keys': '',
      'data-which': point,
      'aria-label': label,
      onpointerdown: (event) => this.dragHandle(event, point),
    });
  }

  /**
   * The point whose handle has the focus.
   *
   * @returns {Point | null}
   */
  get focused() {
    const { activeElement } = document;
    return activeElement === this.handles.in ? 'in' : activeElement === this.handles.out ? 'out' : null;
  }

  get scale() {
    return new TimeScale(this.range.deck);
  }

  /** @param {(point: Point) => string} describe Text of a point, for screen readers. */
  draw(describe) {
    const { range, scale } = this;
    const { info, deck } = range;
    if (!info) return;
    Object.assign(this.shot.style, scale.place(info.start, info.end));
    Object.assign(this.band.style, scale.place(range.from, range.to));
    for (const point of /** @type {const} */ (['in', 'out'])) {
      const handle = this.handles[point];
      const at = range.secondsOf(point);
      handle.style.left = percent(scale.share(at));
      handle.hidden = !range.reaches(point);
      handle.setAttribute('aria-valuetext', describe(point));
      handle.setAttribute('aria-valuenow', String(deck.numberOf(at)));
    }
    this.earlier.disabled = !range.canWiden('earlier');
    this.later.disabled = !range.canWiden('later');
    this.drawHead();
  }

  drawHead() {
    this.head.style.left = percent(this.scale.share(this.range.deck.now));
  }

  /** @param {{start: number}[]} items Segments around; each start gets a mark. */
  drawCuts(items) {
    const { scale } = this;
    const starts = scale.inside(items.map(({ start }) => start));
    this.cuts.replaceChildren(
      ...starts.map((start) => {
        const mark = element('i');
        mark.style.left = percent(scale.share(start));
        return mark;
      }),
    );
  }

  /** @param {number} x Of a pointer. */
  secondsAt(x) {
    return this.scale.secondsAt(x, this.track.getBoundingClientRect());
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} point
   */
  dragHandle(event, point) {
    event.preventDefault();
    event.stopPropagation();
    const { range } = this;
    if (!range.able) return;
    const handle = this.handles[point];
    handle.focus();
    this.actions.grab();
    const box = handle.getBoundingClientRect();
    const slack = event.clientX - (box.left + box.width / 2); // the handle stays under the pointer where it was grabbed
    this.follow(handle, event, (moved) => {
      const seconds = this.secondsAt(moved.clientX - slack);
      this.actions.drag(point, draggedTo(point, seconds, range.deck.times, range.trimming));
    });
  }

  /** @param {PointerEvent} event */
  pressTrack(event) {
    event.preventDefault();
    const { range } = this;
    if (event.shiftKey && event.target === this.band && range.able && range.reaches('in') && range.reaches('out')) {
      this.actions.grab();
      const { first, last } = range;
      const from = range.deck.times.indexAt(this.secondsAt(event.clientX));
      this.follow(this.track, event, (moved) =>
        this.actions.slip({ first, last }, range.deck.times.indexAt(this.secondsAt(moved.clientX)) - from),
      );
      return;
    }
    const seek = (/** @type {PointerEvent} */ moved) => this.actions.scrub(this.secondsAt(moved.clientX));
    seek(event);
    this.follow(this.track, event, seek, () => {});
  }

  /**
   * Follow the pointer until it is released.
   *
   * @param {HTMLElement} target
   * @param {PointerEvent} event
   * @param {(moved: PointerEvent) => void} move
   * @param {() => void} [end]
   */
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

/** @param {string} name */
function part(name) {
  return element('div', { class: `ps-trim-${name}` });
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} onclick
 */
function more(text, label, onclick) {
  return element('button', {
    class: 'ps-icon ps-trim-more',
    type: 'button',
    text,
    'aria-label': label,
    title: label,
    onclick,
  });
}
