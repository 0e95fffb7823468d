// Page of one video: a strip of its shots over time, coloured by how well they answer the search, and all shots below.

import { mountOnce, trigger } from '../core/component.js';
import { element, setOverlayHome } from '../core/dom.js';
import { HoverCard } from '../core/hover_card.js';
import { addKeys, onControl } from '../core/keys.js';
import { momentsOf } from '../core/moments.js';
import { legend } from '../core/ramp.js';
import { partText } from '../core/shot_text.js';
import { isDark, watchTheme } from '../core/theme.js';
import { clock, durationText } from '../core/timecode.js';
import { ScoredSegments } from './scored_segments.js';
import { ShotGrid } from './shot_grid.js';
import { Strip } from './strip.js';

const HEIGHT = 164;
const FILM_PIXELS = 104; // pixels of the strip that one poster stands for
const FILM_MILLISECONDS = 140;

/**
 * A video and the search, as the page passes them.
 *
 * @typedef {object} VideoData
 * @property {string} token Changes with the data.
 * @property {string} [search] The tab's search, if its hits have moments.
 * @property {string} name
 * @property {number} duration Seconds.
 * @property {boolean} missing Whether the file cannot be found now.
 * @property {import('./scored_segments.js').SegmentRow[]} segments
 * @property {number[] | null} scores Of each segment; null without a search.
 * @property {number} [low] Score of the lowest colour; missing without a search, as `high` is.
 * @property {number} [high] Score of the highest colour.
 */
/** @typedef {import('../core/types.js').Component<VideoData>} VideoComponent */

/** Triggers: like {segment}, range {segment, start_pts, end_pts}. */
export const mount = mountOnce((/** @type {VideoComponent} */ component) => new VideoView(component));

/**
 * @param {string} text
 * @param {string} label
 * @param {() => unknown} run
 */
function button(text, label, run) {
  return element('button', {
    class: 'ps-button',
    type: 'button',
    text,
    'aria-label': label,
    title: label,
    onclick: run,
  });
}

class VideoView {
  /** @type {VideoData | null} */
  data = null;
  moments = momentsOf('');
  /** @type {number | null} */
  hovered = null;
  /** @type {number | null} */
  current = null;
  dragged = false;
  /** @type {number | null} */
  asked = null; // the animation frame in which it will be drawn
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  filmTimer = undefined;
  legend = element('div', { class: 'ps-grow' });
  peakButtons = element(
    'span',
    { class: 'ps-tl-buttons' },
    button('‹ Peak', 'Previous peak ([)', () => this.toPeak(-1)),
    button('Peak ›', 'Next peak (])', () => this.toPeak(1)),
  );
  tools = element(
    'div',
    { class: 'ps-tl-tools' },
    this.legend,
    this.peakButtons,
    element(
      'span',
      { class: 'ps-tl-buttons' },
      button('−', 'Zoom out (-)', () => this.zoom(0.5)),
      button('+', 'Zoom in (+)', () => this.zoom(2)),
      button('Whole', 'Whole video (0)', () => this.zoom(0)),
    ),
  );
  canvas = element('canvas', { class: 'ps-tl-canvas', 'aria-hidden': 'true' });
  film = element('div', { class: 'ps-tl-film', 'aria-hidden': 'true' });
  window = element('i', {});
  overview = element('div', { class: 'ps-tl-overview', hidden: true, 'aria-hidden': 'true' }, this.window);
  strip = element(
    'div',
    { class: 'ps-tl-strip', role: 'slider', tabindex: '0', 'aria-label': 'Shots over time', 'data-ps-keys': '' },
    this.canvas,
  );
  said = element('div', { class: 'ps-muted ps-tl-said', role: 'status' });
  root = element('div', { class: 'ps-view ps-tl' }, this.tools, this.strip, this.overview, this.film, this.said);
  drawing = new Strip(this.canvas);

  /** @param {VideoComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    this.component = component;
    this.parent = parent;
    this.colours = coloursOf(parent);
    parent.append(this.root);
    this.card = new HoverCard(parent);
    this.grid = new ShotGrid(this.root, { open: (at) => void this.open(at), chosen: (at) => this.choose(at, false) });
    this.listen();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.strip);
    this.unwatchTheme = watchTheme(parent, () => this.recolour());
    this.removeKeys = addKeys('Timeline', this.keys());
  }

  /** @returns {import('../core/keys.js').Key[]} */
  keys() {
    /**
     * @param {(at: number) => unknown} run Called with the shot that keys apply to; without one the key is passed on.
     */
    const withShot = (run) => () => {
      const { at } = this;
      return at === null ? false : run(at);
    };
    const open = withShot((at) => void this.open(at));
    return [
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
      { key: '0', label: 'Whole video', run: () => this.zoom(0) },
      { key: 'Enter', label: 'Open in the player', run: (event) => (onControl(event) ? false : open()) },
      { key: 's S', label: 'Add to tray', run: withShot((at) => this.grid.keep(at)) },
      {
        key: 'm M',
        label: 'More like this in this video',
        run: withShot((at) => trigger(this.component, 'like', { segment: this.rows[at][0] })),
      },
    ];
  }

  get segments() {
    return this.drawing.segments;
  }

  get rows() {
    return this.drawing.segments.rows;
  }

  get viewport() {
    return this.drawing.viewport;
  }

  /** @param {VideoComponent} component */
  update(component) {
    this.component = component;
    const { data } = component;
    if (data.search !== this.moments?.link) this.moments = momentsOf(data.search);
    if (data.token === this.data?.token) return;
    const { viewport } = this;
    const same = this.rows.length === data.segments.length && this.rows[0]?.[0] === data.segments[0]?.[0];
    this.data = data;
    this.drawing.setData(new ScoredSegments(data.segments, data.scores, data.low, data.high), data.duration);
    if (same) this.viewport.show(viewport.from, viewport.to);
    else {
      this.hover(null);
      this.current = null;
    }
    this.recolour();
    this.root.dataset.ready = data.token;
  }

  /** Take the theme's colours and draw everything again. */
  recolour() {
    this.colours = coloursOf(this.parent);
    if (!this.data) return;
    const { segments } = this;
    const { scores, low, high } = segments;
    this.peakButtons.hidden = !scores;
    this.legend.replaceChildren(
      scores
        ? legend(low, high, this.colours.dark, { title: 'Score' })
        : element('span', { class: 'ps-muted', text: 'Search above to colour each shot by how well it matches.' }),
    );
    if (scores) {
      const best = scores.reduce((top, score) => Math.max(top, score), -1);
      this.legend.append(
        element('span', {
          class: 'ps-muted ps-tl-note',
          text: `best here ${best.toFixed(2)} · best in the library ${high.toFixed(2)}`,
        }),
      );
    }
    this.grid.set(
      this.rows.map(([id, , start, end], at) => ({
        id,
        start,
        end,
        ...segments.partOf(at),
        score: scores ? scores[at] : null,
        share: segments.share(at),
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
    this.filmTimer = setTimeout(() => this.drawFilm(), this.film.childElementCount ? FILM_MILLISECONDS : 0);
  }

  drawOverview() {
    const { viewport } = this;
    this.overview.hidden = !viewport.zoomed;
    this.window.style.left = `${(100 * viewport.from) / viewport.duration}%`;
    this.window.style.width = `${(100 * viewport.span) / viewport.duration}%`;
  }

  /** Draw the posters under the strip: for each stretch of it the best shot, or the one in its middle. */
  drawFilm() {
    const { viewport } = this;
    const count = Math.max(1, Math.round(viewport.width / FILM_PIXELS));
    const before = [...this.film.children];
    this.film.replaceChildren(
      ...this.segments.pictures(viewport, count).map((at, part) => {
        const [id, , start] = this.rows[at];
        const there = before[part];
        if (there?.getAttribute('data-segment') === String(id)) return there;
        return element(
          'button',
          {
            type: 'button',
            tabindex: '-1',
            'data-segment': String(id),
            title: clock(start),
            onclick: () => this.open(at),
          },
          element('img', { src: `/api/poster/${id}`, alt: '', decoding: 'async' }),
        );
      }),
    );
  }

  /** Describe the current shot to screen readers. */
  announce() {
    const at = this.current ?? this.segments.indexAt(this.viewport.from);
    const text = this.rows.length ? this.linesOf(at).join(', ') : '';
    this.strip.setAttribute('aria-valuemin', '1');
    this.strip.setAttribute('aria-valuemax', String(this.rows.length));
    this.strip.setAttribute('aria-valuenow', String(at + 1));
    this.strip.setAttribute('aria-valuetext', text);
    this.said.textContent = this.current === null ? '' : text;
  }

  /**
   * Return what is said of a shot: its time, its number and length and, with a search, its score.
   *
   * @param {number} at
   * @returns {string[]}
   */
  linesOf(at) {
    const [, shot, start, end] = this.rows[at];
    const lines = [
      `${clock(start)} – ${clock(end)}`,
      [`shot ${shot + 1}`, partText(this.segments.partOf(at)), durationText(end - start)].filter(Boolean).join(' · '),
    ];
    const { scores } = this.segments;
    return scores ? [...lines, `score ${scores[at].toFixed(2)}`] : lines;
  }

  // Input

  listen() {
    const { strip } = this;
    /** @param {MouseEvent} event */
    const place = (event) => event.clientX - strip.getBoundingClientRect().left;
    strip.addEventListener('pointermove', (event) => {
      if (!this.dragged) this.hover(this.segments.indexNear(place(event), this.viewport));
    });
    strip.addEventListener('pointerleave', () => this.hover(null));
    strip.addEventListener(
      'wheel',
      (event) => {
        const { viewport } = this;
        const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
        if (sideways && viewport.zoomed) {
          viewport.pan(event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX);
        } else if (!sideways && (event.deltaY < 0 || viewport.zoomed)) {
          viewport.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0022)), place(event));
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

  /**
   * Open the shot on a click; pan on a drag.
   *
   * @param {PointerEvent} event
   * @param {number} x
   */
  press(event, x) {
    let last = event.clientX;
    let moved = 0;
    this.strip.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} now */
    const move = (now) => {
      moved += Math.abs(now.clientX - last);
      if (moved > 4) {
        this.dragged = true;
        this.hover(null);
        this.viewport.pan(last - now.clientX);
        this.draw();
      }
      last = now.clientX;
    };
    /** @param {PointerEvent} ended */
    const end = (ended) => {
      this.strip.removeEventListener('pointermove', move);
      this.strip.removeEventListener('pointerup', end);
      this.strip.removeEventListener('pointercancel', end);
      const clicked = !this.dragged && ended.type === 'pointerup';
      this.dragged = false;
      if (clicked && this.rows.length) {
        const at = this.segments.indexNear(x, this.viewport);
        this.choose(at, false);
        void this.open(at);
      }
    };
    this.strip.addEventListener('pointermove', move);
    this.strip.addEventListener('pointerup', end);
    this.strip.addEventListener('pointercancel', end);
  }

  /**
   * Move what the strip shows to the pointer.
   *
   * @param {PointerEvent} event
   */
  pressOverview(event) {
    const { viewport } = this;
    const box = this.overview.getBoundingClientRect();
    /** @param {PointerEvent} now */
    const to = (now) => {
      const middle = ((now.clientX - box.left) / box.width) * viewport.duration;
      viewport.show(middle - viewport.span / 2, middle + viewport.span / 2);
      this.draw();
    };
    to(event);
    this.overview.setPointerCapture(event.pointerId);
    this.overview.onpointermove = to;
    this.overview.onpointerup = this.overview.onpointercancel = () => {
      this.overview.onpointermove = null;
    };
  }

  /** @param {number | null} at */
  hover(at) {
    if (at === this.hovered) return;
    this.hovered = at;
    if (at === null) this.card.hide();
    else this.showCard(at);
    this.draw();
  }

  /** @param {number} at */
  showCard(at) {
    const [id, , start, end] = this.rows[at];
    const box = this.strip.getBoundingClientRect();
    const [time, shot, ...score] = this.linesOf(at);
    const point = { x: box.left + this.viewport.middleX(start, end), y: box.top + 6 };
    this.card.show(id, point, [...score, time, shot]);
  }

  /** Index of the shot that keys apply to: the focused one of the grid, else that of the strip. */
  get at() {
    return this.grid.focusedAt ?? this.hovered ?? this.current;
  }

  /**
   * Make a shot the current one.
   *
   * @param {number} at
   * @param {boolean} [card] Whether its card is shown.
   */
  choose(at, card = true) {
    const [, , start, end] = this.rows[at];
    this.current = at;
    this.viewport.reveal(start, end);
    if (card) this.showCard(at);
    this.draw();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {1 | -1} by
   * @returns {boolean} False where the key is not meant for this view.
   */
  move(event, by) {
    if (onControl(event) || !this.rows.length) return false;
    if (this.grid.move(by)) return true;
    if (document.activeElement !== this.strip && document.activeElement !== document.body) return false;
    this.strip.focus({ preventScroll: true });
    const from = this.current ?? this.segments.indexAt(this.viewport.from) - Math.max(0, by);
    this.choose(Math.min(Math.max(0, from + by), this.rows.length - 1));
    return true;
  }

  intoGrid() {
    if (document.activeElement !== this.strip || this.current === null) return false;
    this.card.hide();
    this.grid.focus(this.current);
    return true;
  }

  /** @param {1 | -1} by */
  toPeak(by) {
    const next = this.segments.nextPeak(this.viewport, this.current ?? -1, by);
    if (next !== null) this.choose(next);
  }

  /**
   * Zoom around the current shot, or the middle.
   *
   * @param {number} factor Above 1 shows less; 0 shows the whole video.
   */
  zoom(factor) {
    const { viewport } = this;
    if (factor === 0) viewport.show(0, viewport.duration);
    else if (this.current === null) viewport.zoom(factor);
    else viewport.zoom(factor, Math.min(Math.max(0, viewport.x(this.rows[this.current][2])), viewport.width));
    this.card.hide();
    this.draw();
  }

  /** @param {number} at */
  async open(at) {
    this.hover(null);
    this.card.hide();
    const { openPlayer } = await import('../player/player.js');
    const { scores } = this.segments;
    openPlayer(
      this.rows.map(([id], each) => ({ id, score: scores ? scores[each] : undefined })),
      at,
      {
        onLike: (segment) => trigger(this.component, 'like', { segment }),
        onRange: (range) => trigger(this.component, 'range', range),
        moments: this.moments,
        onClose: (segment) => {
          const found = this.rows.findIndex(([id]) => id === segment);
          if (found < 0) return;
          this.choose(found, false);
          if (this.grid.focusedAt !== null) this.grid.focus(found); // not on the card that the player was opened from
        },
      },
    );
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

/**
 * Return the theme's colours, which a canvas needs as values.
 *
 * @param {HTMLElement} parent A view inside the theme.
 * @returns {import('./strip.js').Colours}
 */
function coloursOf(parent) {
  const style = getComputedStyle(parent);
  const text = style.getPropertyValue('--st-text-color').trim() || '#222';
  const back = style.getPropertyValue('--st-background-color').trim() || '#fff';
  /** @param {number} share Percent. */
  const mix = (share) => `color-mix(in srgb, ${text} ${share}%, ${back})`;
  return {
    dark: isDark(parent),
    text,
    muted: mix(74),
    soft: mix(6),
    line: mix(34),
    even: mix(34),
    odd: mix(24),
    primary: style.getPropertyValue('--st-primary-color').trim() || '#1f6f8b',
    font: style.fontFamily || 'sans-serif',
  };
}
