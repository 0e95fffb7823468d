// Page of one video: a strip of its shots over time, coloured by how well they answer the search, and all shots below.

import { element, setOverlayHome } from '../core/dom.js';
import { HoverCard } from '../core/hover_card.js';
import { addKeys, onControl } from '../core/keys.js';
import { legend } from '../core/ramp.js';
import { isDark, watchTheme } from '../core/theme.js';
import { durationText, timeText } from '../core/timecode.js';
import { ShotGrid } from './shot_grid.js';
import { Strip } from './strip.js';

const HEIGHT = 164;
const FILM_WIDTH = 104; // pixels of the strip that one poster stands for
const FILM_WAIT = 140;
const views = new WeakMap();

/**
 * A video and the search, as the page passes them.
 *
 * @typedef {object} VideoData
 * @property {string} token Changes with the data.
 * @property {string} name
 * @property {number} duration Seconds.
 * @property {boolean} missing Whether the file cannot be found now.
 * @property {[number, number, number, number][]} segments Id, number of the shot, start and end in seconds.
 * @property {number[] | null} scores Of each segment; null without a search.
 * @property {number} low Score of the lowest colour.
 * @property {number} high Score of the highest colour.
 */

/**
 * Mount the view. Triggers: like {segment}, range {segment, start_pts, end_pts}.
 *
 * @param {import('../core/types.js').Component<VideoData>} component
 * @returns {() => void} Removes the view.
 */
export function mount(component) {
  let view = views.get(component.parentElement);
  if (!view) {
    view = new Timeline(component.parentElement);
    views.set(component.parentElement, view);
  }
  view.update(component);
  return () => {
    view.remove();
    views.delete(component.parentElement);
  };
}

class Timeline {
  constructor(parent) {
    setOverlayHome(parent);
    this.parent = parent;
    this.hovered = null;
    this.current = null;
    const button = (text, label, run) =>
      element('button', { class: 'ps-button', type: 'button', text, 'aria-label': label, title: label, onclick: run });
    this.legend = element('div', { class: 'ps-grow' });
    this.tools = element(
      'div',
      { class: 'ps-tl-tools' },
      this.legend,
      (this.peakButtons = element(
        'span',
        { class: 'ps-tl-buttons' },
        button('‹ Peak', 'Previous peak ([)', () => this.toPeak(-1)),
        button('Peak ›', 'Next peak (])', () => this.toPeak(1)),
      )),
      element(
        'span',
        { class: 'ps-tl-buttons' },
        button('−', 'Zoom out (-)', () => this.zoom(0.5)),
        button('+', 'Zoom in (+)', () => this.zoom(2)),
        button('Whole', 'The whole video (0)', () => this.zoom(0)),
      ),
    );
    this.canvas = element('canvas', { class: 'ps-tl-canvas', 'aria-hidden': 'true' });
    this.film = element('div', { class: 'ps-tl-film', 'aria-hidden': 'true' });
    this.window = element('i', {});
    this.overview = element('div', { class: 'ps-tl-overview', hidden: true, 'aria-hidden': 'true' }, this.window);
    this.strip = element(
      'div',
      { class: 'ps-tl-strip', role: 'slider', tabindex: '0', 'aria-label': 'Shots over time', 'data-ps-keys': '' },
      this.canvas,
    );
    this.said = element('div', { class: 'ps-muted ps-tl-said', role: 'status' });
    this.root = element('div', { class: 'ps-view ps-tl' }, this.tools, this.strip, this.overview, this.film, this.said);
    parent.append(this.root);
    this.card = new HoverCard(parent);
    this.drawing = new Strip(this.canvas);
    this.grid = new ShotGrid(this.root, { open: (at) => this.open(at), chosen: (at) => this.choose(at, false) });
    this.listen();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.strip);
    this.unwatchTheme = watchTheme(parent, () => this.recolour());
    this.removeKeys = addKeys('Timeline', [
      { key: 'ArrowRight', label: 'Next shot', run: (event) => this.move(event, 1) },
      { key: 'ArrowLeft', label: 'Previous shot', run: (event) => this.move(event, -1) },
      {
        key: 'ArrowDown',
        label: 'Row below',
        run: () => (this.grid.focusedAt !== null ? this.grid.move('down') : this.intoGrid()),
      },
      { key: 'ArrowUp', label: 'Row above', run: () => this.grid.move('up') },
      { key: ']', label: 'Next peak', run: () => this.toPeak(1) },
      { key: '[', label: 'Previous peak', run: () => this.toPeak(-1) },
      { key: '+ =', label: 'Zoom in', run: () => this.zoom(2) },
      { key: '-', label: 'Zoom out', run: () => this.zoom(0.5) },
      { key: '0', label: 'The whole video', run: () => this.zoom(0) },
      {
        key: 'Enter',
        label: 'Open in the player',
        run: (event) => (onControl(event) || this.at === null ? false : this.open(this.at)),
      },
      { key: 's S', label: 'Add to the tray', run: () => (this.at === null ? false : this.grid.keep(this.at)) },
      {
        key: 'm M',
        label: 'Which shots of this video are like it',
        run: () => (this.at === null ? false : this.trigger('like', { segment: this.segments[this.at][0] })),
      },
    ]);
  }

  update(component) {
    this.component = component;
    const { data } = component;
    if (!data || data.token === this.token) return;
    this.token = data.token;
    const same =
      this.data &&
      this.data.segments.length === data.segments.length &&
      this.data.segments[0]?.[0] === data.segments[0]?.[0];
    const seen = same ? [this.drawing.from, this.drawing.to] : null;
    this.data = data;
    this.segments = data.segments;
    this.drawing.setData(data);
    if (seen) this.drawing.show(...seen);
    else this.current = null;
    this.recolour();
    this.root.dataset.ready = data.token;
  }

  /** Take the theme's colours, which the canvas needs as values, and draw everything again. */
  recolour() {
    const style = getComputedStyle(this.parent);
    const text = style.getPropertyValue('--st-text-color').trim() || '#222';
    const back = style.getPropertyValue('--st-background-color').trim() || '#fff';
    const mix = (share) => `color-mix(in srgb, ${text} ${share}%, ${back})`;
    const dark = isDark(this.parent);
    this.colours = {
      dark,
      text,
      back,
      muted: mix(74),
      soft: mix(6),
      line: mix(34),
      even: mix(34),
      odd: mix(24),
      primary: style.getPropertyValue('--st-primary-color').trim() || '#1f6f8b',
      font: style.fontFamily || 'sans-serif',
    };
    if (!this.data) return;
    const { scores, low, high } = this.data;
    this.peakButtons.hidden = !scores;
    this.legend.replaceChildren(
      scores
        ? legend(low, high, dark, { title: 'Score' })
        : element('span', { class: 'ps-muted', text: 'Ask above, and each shot is coloured by how well it fits.' }),
    );
    if (scores) {
      const best = scores.reduce((top, score) => Math.max(top, score), -1);
      this.legend.append(
        element('span', {
          class: 'ps-muted ps-tl-note',
          text: `best here ${best.toFixed(2)} · best of the library ${high.toFixed(2)}`,
        }),
      );
    }
    this.grid.set(
      this.segments.map(([id, , start, end], at) => ({
        id,
        start,
        end,
        score: scores ? scores[at] : null,
        share: scores ? this.drawing.share(at) : null,
      })),
    );
    this.draw();
  }

  resize() {
    const width = this.strip.clientWidth;
    if (!width || width === this.drawing.width) return;
    this.drawing.resize(width, HEIGHT);
    this.draw();
  }

  draw() {
    if (!this.data || !this.drawing.width) return;
    this.asked ??= requestAnimationFrame(() => {
      this.asked = null;
      this.drawing.draw(this.colours, { hovered: this.hovered, current: this.current });
      this.drawOverview();
      this.announce();
    });
    clearTimeout(this.filmTimer);
    this.filmTimer = setTimeout(() => this.drawFilm(), this.film.childElementCount ? FILM_WAIT : 0);
  }

  drawOverview() {
    const { drawing } = this;
    this.overview.hidden = !drawing.zoomed;
    this.window.style.left = `${(100 * drawing.from) / drawing.duration}%`;
    this.window.style.width = `${(100 * drawing.span) / drawing.duration}%`;
  }

  /** Draw the posters under the strip: for each stretch of it the best shot, or the one in its middle. */
  drawFilm() {
    const { drawing } = this;
    const count = Math.max(1, Math.round(drawing.width / FILM_WIDTH));
    const shown = Array.from({ length: count }, (_, slot) => {
      const [first, last] = [slot, slot + 1].map((edge) =>
        drawing.indexAt(drawing.from + (drawing.span * (edge + (edge === slot ? 0.02 : -0.02))) / count),
      );
      let best = drawing.indexAt(drawing.from + (drawing.span * (slot + 0.5)) / count);
      if (drawing.scores)
        for (let at = first; at <= last; at += 1) if (drawing.scores[at] > drawing.scores[best]) best = at;
      return best;
    });
    const before = [...this.film.children];
    this.film.replaceChildren(
      ...shown.map((at, slot) => {
        const [id, , start] = this.segments[at];
        if (before[slot]?.dataset.segment === String(id)) return before[slot];
        return element(
          'button',
          {
            type: 'button',
            tabindex: '-1',
            'data-segment': String(id),
            title: timeText(start),
            onclick: () => this.open(at),
          },
          element('img', { src: `/api/poster/${id}`, alt: '', decoding: 'async' }),
        );
      }),
    );
  }

  /** Describe the current shot to screen readers. */
  announce() {
    const at = this.current ?? this.drawing.indexAt(this.drawing.from);
    const text = this.segments.length ? this.linesOf(at).join(', ') : '';
    for (const [name, value] of Object.entries({
      valuemin: 1,
      valuemax: this.segments.length,
      valuenow: at + 1,
      valuetext: text,
    })) {
      this.strip.setAttribute(`aria-${name}`, String(value));
    }
    this.said.textContent = this.current === null ? '' : text;
  }

  linesOf(at) {
    const [, shot, start, end] = this.segments[at];
    const score = this.data.scores ? `score ${this.data.scores[at].toFixed(2)}` : '';
    return [`${timeText(start)} – ${timeText(end)}`, `shot ${shot + 1} · ${durationText(end - start)}`, score].filter(
      Boolean,
    );
  }

  // Input

  listen() {
    const { strip } = this;
    const place = (event) => event.clientX - strip.getBoundingClientRect().left;
    strip.addEventListener('pointermove', (event) => {
      if (this.dragged) return;
      this.hover(this.drawing.indexNear(place(event)));
    });
    strip.addEventListener('pointerleave', () => this.hover(null));
    strip.addEventListener(
      'wheel',
      (event) => {
        const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
        if (sideways && this.drawing.zoomed) {
          this.drawing.pan(event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX);
        } else if (!sideways && (event.deltaY < 0 || this.drawing.zoomed)) {
          this.drawing.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0022)), place(event));
        } else {
          return; // nothing to do here: the page scrolls
        }
        event.preventDefault();
        this.hover(null);
        this.draw();
      },
      { passive: false },
    );
    strip.addEventListener('pointerdown', (event) => event.button === 0 && this.press(event, place(event)));
    this.overview.addEventListener('pointerdown', (event) => this.pressOverview(event));
  }

  /** Open the shot on a click; pan on a drag. */
  press(event, x) {
    let last = event.clientX;
    let moved = 0;
    this.strip.setPointerCapture(event.pointerId);
    const move = (now) => {
      moved += Math.abs(now.clientX - last);
      if (moved > 4) {
        this.dragged = true;
        this.hover(null);
        this.drawing.pan(last - now.clientX);
        this.draw();
      }
      last = now.clientX;
    };
    const end = (ended) => {
      this.strip.removeEventListener('pointermove', move);
      this.strip.removeEventListener('pointerup', end);
      this.strip.removeEventListener('pointercancel', end);
      const clicked = !this.dragged && ended.type === 'pointerup';
      this.dragged = false;
      if (clicked && this.segments.length) {
        this.choose(this.drawing.indexNear(x), false);
        this.open(this.current);
      }
    };
    this.strip.addEventListener('pointermove', move);
    this.strip.addEventListener('pointerup', end);
    this.strip.addEventListener('pointercancel', end);
  }

  pressOverview(event) {
    const box = this.overview.getBoundingClientRect();
    const to = (now) => {
      const middle = ((now.clientX - box.left) / box.width) * this.drawing.duration;
      this.drawing.show(middle - this.drawing.span / 2, middle + this.drawing.span / 2);
      this.draw();
    };
    to(event);
    this.overview.setPointerCapture(event.pointerId);
    this.overview.onpointermove = to;
    this.overview.onpointerup = this.overview.onpointercancel = () => {
      this.overview.onpointermove = null;
    };
  }

  hover(at) {
    if (at === this.hovered) return;
    this.hovered = at;
    if (at === null) this.card.hide();
    else this.showCard(at);
    this.draw();
  }

  showCard(at) {
    const [id, , start, end] = this.segments[at];
    const box = this.strip.getBoundingClientRect();
    const middle = this.drawing.x((Math.max(start, this.drawing.from) + Math.min(end, this.drawing.to)) / 2);
    const [time, shot, score] = this.linesOf(at);
    this.card.show(id, { x: box.left + middle, y: box.top + 6 }, score ? [score, time, shot] : [time, shot]);
  }

  /** Index of the shot that keys apply to: the focused one of the grid, else that of the strip. */
  get at() {
    return this.grid.focusedAt ?? this.hovered ?? this.current;
  }

  choose(at, card = true) {
    this.current = at;
    this.drawing.reveal(at);
    if (card) this.showCard(at);
    this.draw();
  }

  move(event, by) {
    if (onControl(event) || !this.segments.length) return false;
    if (this.grid.move(by)) return true;
    if (document.activeElement !== this.strip && document.activeElement !== document.body) return false;
    this.strip.focus({ preventScroll: true });
    const from = this.current ?? this.drawing.indexAt(this.drawing.from) - Math.max(0, by);
    this.choose(Math.min(Math.max(0, from + by), this.segments.length - 1));
    return true;
  }

  intoGrid() {
    if (document.activeElement !== this.strip || this.current === null) return false;
    this.card.hide();
    this.grid.focus(this.current);
    return true;
  }

  toPeak(by) {
    const peaks = this.drawing.peaks().sort((a, b) => a - b);
    if (!peaks.length) return;
    const from = this.current ?? -1;
    const next =
      by > 0 ? (peaks.find((at) => at > from) ?? peaks[0]) : (peaks.findLast((at) => at < from) ?? peaks.at(-1));
    this.choose(next);
  }

  zoom(factor) {
    if (factor === 0) this.drawing.show(0, this.drawing.duration);
    else
      this.drawing.zoom(
        factor,
        this.current === null
          ? undefined
          : Math.min(Math.max(0, this.drawing.x(this.segments[this.current][2])), this.drawing.width),
      );
    this.card.hide();
    this.draw();
  }

  async open(at) {
    this.hover(null);
    this.card.hide();
    const { openPlayer } = await import('../player/player.js');
    const { scores } = this.data;
    openPlayer(
      this.segments.map(([id], each) => ({ id, score: scores ? scores[each] : undefined })),
      at,
      {
        onLike: (segment) => this.trigger('like', { segment }),
        onRange: (range) => this.trigger('range', range),
        onClose: (segment) => {
          const found = this.segments.findIndex(([id]) => id === segment);
          if (found >= 0) this.choose(found, false);
        },
      },
    );
  }

  trigger(name, value) {
    this.component.setTriggerValue(name, { ...value, at: Date.now() });
  }

  remove() {
    clearTimeout(this.filmTimer);
    if (this.asked) cancelAnimationFrame(this.asked);
    this.removeKeys();
    this.unwatchTheme();
    this.sizes.disconnect();
    this.grid.remove();
    this.card.remove();
    this.root.remove();
  }
}
