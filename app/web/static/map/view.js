// Map page: all shots of the library in a plane, near each other where they look alike.

import { api } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { element, redraw, setOverlayHome } from '../core/dom.js';
import { HoverCard } from '../core/hover_card.js';
import { addKeys, onControl } from '../core/keys.js';
import { splitPath } from '../core/paths.js';
import { legend } from '../core/ramp.js';
import { isDark, watchTheme } from '../core/theme.js';
import { attempt } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { MapCanvas } from './canvas.js';
import { COLOURED_FOLDERS, colourPoints, largestFolders, modesOf, OTHER_FOLDERS } from './colouring.js';
import { followGestures } from './gestures.js';
import { enclosedPoints } from './lasso.js';
import { MapPictures } from './pictures.js';
import { Points } from './points.js';
import { MapProgress } from './progress.js';
import { Selection } from './selection.js';
import { shotLines, statusText } from './texts.js';

const NEAR_PIXELS = 14; // pixels around the pointer in which a point is found
const MOST_FACTS = 500; // shots whose facts are kept
const STEP_SHARE = 0.12; // share of the stage that an arrow key moves the map by
const MOST_WALKED = 60; // shots near the opened one that the player walks through
/** @typedef {import('./scores.js').MapScores} MapScores */
/** @typedef {import('./selection.js').MapItem} MapItem */
/** @typedef {import('../core/types.js').SegmentInfo} SegmentInfo */

/**
 * What the page passes.
 *
 * @typedef {object} MapData
 * @property {string} encoder
 * @property {number} shots Number of shots of the library.
 * @property {boolean} asks Whether there is a search or a filter.
 * @property {MapScores | null} asked The answer to it.
 */
/** @typedef {import('../core/types.js').Component<MapData>} MapComponent */

/** @type {Record<import('./colouring.js').Mode, string>} */
const MODES = { score: 'Score', folder: 'Folder', video: 'Video' };

/** Triggers: made (there is a new map), like {segment}, range {segment, start_pts, end_pts}. */
export const mount = mountOnce((/** @type {MapComponent} */ component) => new MapView(component));

class MapView {
  /** @param {MapComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    this.component = component;
    this.parent = parent;
    this.pressed = false; // while a pointer gives the focus
    this.encoder = '';
    this.version = ''; // of the points
    /** @type {Points | null} */
    this.points = null;
    /** @type {MapScores | null} */
    this.asked = null;
    /** @type {import('./colouring.js').Mode | null} */
    this.mode = null; // null before the choice that suits the points
    /** @type {Map<number, SegmentInfo>} */
    this.facts = new Map(); // of segments that were hovered
    /** @type {Set<number> | null} */
    this.chosen = null; // indices of points
    this.hovered = -1;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.factsTimer = undefined;
    /** @type {number | null} */
    this.frame = null;

    /**
     * @param {string} text
     * @param {string} title
     * @param {() => void} run
     */
    const button = (text, title, run) =>
      element('button', { class: 'ps-button', type: 'button', text, title, 'aria-label': title, onclick: run });
    this.modes = element('div', { class: 'ps-chips', role: 'group', 'aria-label': 'Colour by' });
    this.legend = element('div', { class: 'ps-map-legend' });
    this.status = element('div', { class: 'ps-muted ps-map-status', role: 'status' });
    this.canvas = element('canvas', { 'aria-hidden': 'true' });
    this.lasso = element('canvas', { class: 'ps-map-lasso', 'aria-hidden': 'true', hidden: true });
    this.ring = element('div', { class: 'ps-map-ring', hidden: true });
    this.cross = element('div', { class: 'ps-map-cross', hidden: true });
    this.progress = new MapProgress((version) => this.load(version));
    this.picturesButton = element('button', {
      class: 'ps-button',
      type: 'button',
      text: 'Pictures',
      title: 'Pictures on the points (P)',
      'aria-pressed': 'true',
      onclick: () => this.togglePictures(),
    });
    this.stage = element(
      'div',
      {
        class: 'ps-map-stage',
        tabindex: '0',
        role: 'application',
        'data-ps-keys': '',
        'aria-label':
          'Map of all shots. Arrow keys move it, plus and minus zoom, Enter opens the shot in the middle, V selects all visible ones.',
      },
      this.canvas,
      this.lasso,
      this.ring,
      this.cross,
      this.progress.root,
      element(
        'div',
        { class: 'ps-map-zoom' },
        button('+', 'Zoom in (+)', () => this.zoom(2)),
        button('−', 'Zoom out (-)', () => this.zoom(0.5)),
        button('⤢', 'Whole map (0)', () => this.whole()),
      ),
    );
    this.root = element(
      'div',
      { class: 'ps-view ps-map' },
      element(
        'div',
        { class: 'ps-map-tools' },
        this.modes,
        this.picturesButton,
        element('button', {
          class: 'ps-button',
          type: 'button',
          title: 'Select all visible shots (V)',
          text: 'Select visible',
          onclick: () => this.chooseSeen(),
        }),
        this.legend,
      ),
      this.stage,
      this.status,
    );
    parent.append(this.root);

    this.map = new MapCanvas(this.canvas);
    this.selection = new Selection({
      open: (place) => void this.openItems(this.selection.items, place),
      clear: () => this.choose([]),
    });
    this.stage.append(this.selection.root);
    this.card = new HoverCard(parent);
    this.pictures = new MapPictures(this.map);
    this.canvas.after(this.pictures.layer);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.stage);
    this.unwatchTheme = watchTheme(parent, () => this.recolour());
    this.unwatchTray = tray.watch();
    this.stopGestures = followGestures(this.stage, this);
    this.stage.addEventListener('focus', () => !this.pressed && this.aim());
    this.stage.addEventListener('blur', () => this.unaim());
    this.removeKeys = addKeys('Map', this.keys());
  }

  /** @returns {import('../core/keys.js').Key[]} */
  keys() {
    /**
     * @param {number} x Share of the way to the right.
     * @param {number} y
     * @returns {(event: KeyboardEvent) => boolean}
     */
    const pan = (x, y) => (event) => {
      const { activeElement } = document;
      if (onControl(event) || !this.points || (activeElement !== this.stage && activeElement !== document.body))
        return false;
      this.cross.hidden = false;
      this.pan(x * STEP_SHARE * this.map.viewport.width, y * STEP_SHARE * this.map.viewport.height);
      return true;
    };
    return [
      { key: 'ArrowLeft', label: 'Move left', run: pan(1, 0) },
      { key: 'ArrowRight', label: 'Move right', run: pan(-1, 0) },
      { key: 'ArrowUp', label: 'Move up', run: pan(0, 1) },
      { key: 'ArrowDown', label: 'Move down', run: pan(0, -1) },
      { key: '+ =', label: 'Zoom in', run: () => this.zoom(1.5) },
      { key: '-', label: 'Zoom out', run: () => this.zoom(1 / 1.5) },
      { key: '0', label: 'Whole map', run: () => this.whole() },
      {
        key: 'Enter',
        label: 'Open the shot under the pointer or in the middle',
        run: (event) => !onControl(event) && this.withShot((at) => this.open(at)),
      },
      { key: 's S', label: 'Add selected shots, or that shot, to tray', run: () => this.keep() },
      {
        key: 'm M',
        label: 'Colour by similarity to that shot',
        run: () => this.withShot((at, points) => trigger(this.component, 'like', { segment: points.ids[at] })),
      },
      { key: 'v V', label: 'Select all visible shots (or Shift-drag)', run: () => this.chooseSeen() },
      { key: 'p P', label: 'Pictures on the points', run: () => this.togglePictures() },
      { key: 'Escape', label: 'Clear selection', run: () => (this.chosen ? this.choose([]) : false) },
    ];
  }

  /** @param {MapComponent} component */
  update(component) {
    this.component = component;
    const { data } = component;
    if (data.encoder !== this.encoder) {
      this.encoder = data.encoder;
      void this.progress.follow(data.encoder);
    }
    const { asked } = data;
    if (asked?.key === this.asked?.key && asked?.version === this.asked?.version) return;
    this.asked = asked;
    this.mode = null;
    this.takeScores();
  }

  // Making and loading

  /** @param {string} version */
  async load(version) {
    const { encoder } = this;
    const stretch = Math.min(1.8, Math.max(1, this.stage.clientWidth / Math.max(1, this.stage.clientHeight)));
    const points = await attempt(() => Points.load(encoder, version, stretch));
    if (!points || encoder !== this.encoder) return;
    this.hover(-1); // an index of the points before
    this.version = version;
    this.points = points;
    this.chosen = null;
    this.selection.set([]);
    this.pictures.forget();
    this.map.setPoints(points);
    this.takeScores();
    this.root.dataset.ready = version;
    // The page's script can score a map only once it exists, and only as it is now.
    if (this.component.data.asks && this.asked?.version !== version) this.component.setTriggerValue('made', version);
  }

  takeScores() {
    if (!this.points) return;
    this.points.setScores(this.asked?.version === this.version ? this.asked : null);
    this.recolour();
  }

  // Drawing

  recolour() {
    const { points } = this;
    if (!points) return;
    const dark = isDark(this.parent);
    const folders = largestFolders(points.folders);
    const { modes, best } = modesOf(points, folders);
    const mode = this.mode && modes.includes(this.mode) ? this.mode : best;
    this.mode = mode;
    redraw(
      this.modes,
      ...(modes.length > 1
        ? modes.map((each) =>
            element('button', {
              class: 'ps-chip',
              type: 'button',
              'aria-pressed': String(each === mode),
              text: MODES[each],
              onclick: () => {
                this.mode = each;
                this.recolour();
              },
            }),
          )
        : []),
    );
    this.legend.replaceChildren(
      mode === 'score'
        ? legend(points.low, points.high, dark)
        : mode === 'folder'
          ? folderLegend(folders, points.folderNames)
          : '',
    );
    const faint = dark ? [58, 64, 69] : [208, 204, 197];
    this.map.setColours(colourPoints(points, mode, { dark, faint, chosen: this.chosen }));
    this.draw();
    this.pictures.spread();
    const left = this.asked?.version === this.version ? this.asked.left_out : 0;
    this.status.textContent = statusText(this.component.data.shots, points.count, left, points.scores && points.high);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    this.map.resize(width, height);
    this.draw();
    this.pictures.spread();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.points) return;
      this.map.draw();
      this.pictures.place((at) => this.chosen !== null && !this.chosen.has(at));
      this.placeRing();
      this.root.dataset.took = this.map.took.toFixed(1);
      this.root.dataset.zoom = this.map.viewport.magnification.toFixed(2);
    });
  }

  moved() {
    this.hover(-1);
    this.draw();
    this.pictures.spread();
    if (!this.cross.hidden) this.aim();
  }

  placeRing() {
    this.ring.hidden = this.hovered < 0;
    if (this.hovered < 0) return;
    const [x, y] = this.map.toScreen(this.hovered);
    this.ring.style.transform = `translate(${x}px, ${y}px)`;
  }

  togglePictures() {
    this.pictures.toggle();
    this.picturesButton.setAttribute('aria-pressed', String(this.pictures.on));
  }

  // One shot

  /**
   * Return the index of the point at a place of the stage, or -1. Pictures count as their points.
   *
   * @param {number} x
   * @param {number} y
   * @returns {number}
   */
  find(x, y) {
    if (!this.points) return -1;
    const pictured = this.pictures.find(x, y);
    if (pictured >= 0) return pictured;
    const { viewport, radius } = this.map;
    return this.points.nearest(...viewport.toPlane(x, y), Math.max(NEAR_PIXELS, radius + 3) / viewport.scale);
  }

  /** @param {number} at Index of a point, or -1. */
  hover(at) {
    if (at === this.hovered) return;
    this.hovered = at;
    this.placeRing();
    clearTimeout(this.factsTimer);
    if (at < 0 || !this.points) {
      this.card.hide();
      return;
    }
    this.showCard(this.points, at);
    const id = this.points.ids[at];
    if (!this.facts.has(id)) this.factsTimer = setTimeout(() => void this.loadFacts(id), 60);
  }

  /**
   * @param {Points} points
   * @param {number} at
   */
  showCard(points, at) {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = this.map.toScreen(at);
    this.card.show(points.ids[at], { x: box.left + x, y: box.top + y - 8 }, this.linesOf(points, at));
  }

  /**
   * @param {Points} points
   * @param {number} at
   */
  linesOf(points, at) {
    return shotLines(points.nameOf(at), this.facts.get(points.ids[at]), points.scoreOf(at));
  }

  /** @param {number} id */
  async loadFacts(id) {
    /** @type {SegmentInfo | null} */
    const facts = await api(`/api/segment/${id}`).catch(() => null);
    if (!facts) return;
    this.facts.set(id, facts);
    const [oldest] = this.facts.keys();
    if (this.facts.size > MOST_FACTS) this.facts.delete(oldest);
    if (this.points && this.hovered >= 0 && this.points.ids[this.hovered] === id)
      this.showCard(this.points, this.hovered);
  }

  /** Hover the shot nearest to the middle, for keyboards. */
  aim() {
    this.cross.hidden = false;
    const { points } = this;
    if (!points) return;
    const { x, y, height, scale } = this.map.viewport;
    const at = points.nearest(x, y, 0.25 * (height / scale));
    this.hover(at);
    this.stage.setAttribute(
      'aria-description',
      at < 0 ? 'No shot in the middle' : `In the middle: ${this.linesOf(points, at).join(', ')}`,
    );
  }

  unaim() {
    this.cross.hidden = true;
    this.hover(-1);
  }

  /**
   * Run an action with the shot under the pointer or in the middle.
   *
   * @param {(at: number, points: Points) => void} run
   * @returns {boolean} Whether there is one.
   */
  withShot(run) {
    if (!this.points || this.hovered < 0) return false;
    run(this.hovered, this.points);
    return true;
  }

  /**
   * @param {Points} points
   * @param {number} at
   * @returns {MapItem}
   */
  item(points, at) {
    return { id: points.ids[at], name: points.nameOf(at), score: points.scoreOf(at) };
  }

  /** @param {number} at */
  open(at) {
    const { points, selection } = this;
    if (!points) return;
    if (this.chosen?.has(at)) {
      const place = selection.items.findIndex((item) => item.id === points.ids[at]);
      void this.openItems(selection.items, place);
    } else {
      const items = points.around(at, MOST_WALKED).map((each) => this.item(points, each));
      void this.openItems(items, 0);
    }
  }

  /**
   * Open shots in the player. Never throws.
   *
   * @param {MapItem[]} items
   * @param {number} place Index of the first one to play.
   */
  async openItems(items, place) {
    this.hover(-1);
    const player = await attempt(() => import('../player/player.js'));
    player?.openPlayer(
      items.map(({ id, score }) => ({ id, score: score ?? undefined })),
      place,
      {
        onLike: (segment) => trigger(this.component, 'like', { segment }),
        onRange: (range) => trigger(this.component, 'range', range),
      },
    );
  }

  // Selection

  /** @param {import('./viewport.js').Place[]} polygon Corners on the stage. */
  chooseWithin(polygon) {
    if (this.points) this.choose(enclosedPoints(this.points, this.map.viewport, polygon));
  }

  chooseSeen() {
    this.chooseWithin(this.map.viewport.corners);
  }

  /** @param {number[]} found Indices of points; none clears the selection. */
  choose(found) {
    const { points } = this;
    if (!points) return;
    // The best first; without scores in the order of videos.
    const order = [...found].sort((a, b) => (points.scoreOf(b) ?? 0) - (points.scoreOf(a) ?? 0) || a - b);
    this.chosen = found.length ? new Set(found) : null;
    this.selection.set(order.map((at) => this.item(points, at)));
    this.recolour();
  }

  /** Add what is chosen, or the shot under the pointer, to the tray. */
  keep() {
    if (this.chosen) {
      void this.selection.keep();
      return true;
    }
    return this.withShot((at, points) => {
      void tray.add([{ segment: points.ids[at], score: points.scoreOf(at) ?? undefined }]);
    });
  }

  // Moving

  /**
   * @param {number} dx Pixels to the right.
   * @param {number} dy Pixels down.
   */
  pan(dx, dy) {
    if (!this.points) return;
    this.map.viewport.pan(dx, dy);
    this.moved();
  }

  /**
   * @param {number} factor
   * @param {number} [x] On the stage; the middle where it is left out.
   * @param {number} [y]
   */
  zoom(factor, x, y) {
    if (!this.points) return;
    this.map.viewport.zoom(factor, x, y);
    this.moved();
  }

  whole() {
    this.map.viewport.fit();
    this.moved();
  }

  remove() {
    this.progress.stop();
    this.pictures.remove();
    clearTimeout(this.factsTimer);
    if (this.frame) cancelAnimationFrame(this.frame);
    this.removeKeys();
    this.stopGestures();
    this.unwatchTheme();
    this.unwatchTray();
    this.sizes.disconnect();
    this.card.remove();
    this.root.remove();
  }
}

/**
 * Create the legend of folders: those that have a colour of their own, and the number of others.
 *
 * @param {import('./colouring.js').FolderColour[]} folders The one with the most shots first.
 * @param {string[]} paths
 * @returns {HTMLElement}
 */
function folderLegend(folders, paths) {
  /**
   * @param {readonly number[]} colour
   * @param {string} text
   * @param {string} [title]
   */
  const swatch = (colour, text, title) => {
    const dot = element('i', {});
    dot.style.background = `rgb(${colour.join(' ')})`;
    return element('span', { class: 'ps-map-folder', title }, dot, element('span', { text }));
  };
  const others = folders.length - COLOURED_FOLDERS;
  return element(
    'div',
    { class: 'ps-map-folders' },
    ...folders
      .slice(0, COLOURED_FOLDERS)
      .map(({ folder, colour, count }) =>
        swatch(colour, splitPath(paths[folder]).name, `${paths[folder]}: ${count.toLocaleString()} on the map`),
      ),
    others > 0 ? swatch(OTHER_FOLDERS, `${others.toLocaleString()} more`) : null,
  );
}
